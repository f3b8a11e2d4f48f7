package main

import (
	"context"
	"io"
	"net"
	"testing"
)

// echo answers with what it is sent.
func echo(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// ask sends n bytes through the cable and says how many came back.
func ask(t *testing.T, c net.Conn, n int) int {
	t.Helper()
	if _, err := c.Write(make([]byte, n)); err != nil {
		return 0
	}
	got, _ := io.ReadFull(c, make([]byte, n)) // it may break
	return got
}

// Each fault of the cable happens, and ends when it is mended.
func TestCable(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	k, err := layCable(ctx, "test", echo(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	connect := func() net.Conn {
		c, err := net.Dial("tcp", k.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	c := connect()
	if got := ask(t, c, 5000); got != 5000 {
		t.Fatalf("%d of 5000 bytes came back", got)
	}
	k.hush()
	answered := make(chan int)
	go func() { answered <- ask(t, c, 10) }()
	select {
	case <-answered:
		t.Error("something passed through silence")
	default:
	}
	k.mend()
	if got := <-answered; got != 10 {
		t.Errorf("after the silence %d of 10 bytes came", got)
	}
	k.cut()
	if got := ask(t, c, 10); got != 0 {
		t.Errorf("%d bytes came through what is cut", got)
	}
	k.fray(1000)
	if got := ask(t, connect(), 5000); got >= 1000 {
		t.Errorf("%d bytes came through what tears", got)
	}
	k.shut()
	if got := ask(t, connect(), 10); got != 0 {
		t.Errorf("%d bytes came through what is shut", got)
	}
	k.mend()
	if got := ask(t, connect(), 5000); got != 5000 {
		t.Errorf("mended, %d of 5000 bytes came back", got)
	}
	if k.cutTimes() < 3 {
		t.Errorf("%d cuts were counted", k.cutTimes())
	}
}

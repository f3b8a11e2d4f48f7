//go:build !linux

package main

import "errors"

func (d *disk) mount(int64) error { return errors.New("only on Linux") }

func (d *disk) unmount() {}

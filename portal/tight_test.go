package portal

import "testing"

// Sentences of ours stand together; what a customer typed is given back as it was typed.
func TestTightLeavesWhatWasTyped(t *testing.T) {
	for page, want := range map[string]string{
		"": "",
		"<p>更新しました。 次へ、 <a>戻る</a></p>":     "<p>更新しました。次へ、<a>戻る</a></p>",
		`<input value="東京都、 港区"> 終わり。 <b>`: `<input value="東京都、 港区"> 終わり。<b>`,
		"<textarea>遅い。 困る。 </textarea>。 次": "<textarea>遅い。 困る。 </textarea>。次",
		"Two words. And two more.":         "Two words. And two more.",
	} {
		if got := tight(page); got != want {
			t.Errorf("%q is %q, want %q", page, got, want)
		}
	}
}

package phrase

import (
	"strings"
	"testing"
)

// What people say when they are asked whether something may be bought. Phrases
// are apart by a bar. Nothing may ever move from another row to the yeses.
var replies = map[Language]map[Reply]string{
	English: {
		Yes: `yes | Yes! | YES PLEASE | yep | yeah | yup | yes yes | yes, thanks | Sure | sure thing | ok | OK. | okay | o.k | of course | certainly | absolutely | definitely | correct | that's right | exactly |
			agreed | I agree | confirm | I confirm | go ahead | please go ahead | do it | please do | yes, do it | sounds good | that works for me | that's fine | fine | fine by me | no problem | all right | alright then | perfect |
			yes, I'm sure | I accept | approved | let's do it | 👍 | 👌🏾 | ✅ | yes 🙏 | ｙｅｓ | ok, go ahead | yeah that sounds good | yes of course, thank you | no objections | deal | just do it | by all means`,
		No: `no | No! | NO. | nope | nah | no no no | no thanks | no, thank you | not now | not yet | no way | never | don't | please don't | don't do it | do not | I don't want it | I don't think so | not ok | it's not ok |
			that's wrong | wrong | cancel | cancel it | cancel please | stop | forget it | never mind | of course not | absolutely not | I disagree | decline | too expensive | no, not now | no, cancel | i changed my mind |
			no, 10 days | no, the second one | No, I said seven days | 👎 | ❌ | not today | I'd rather not | no need | not interested | don't renew | no, don't | dont | pass | skip it | that's not right | not at all`,
		Unsure: `yes, but 10 days | yes but not today | yes if it is cheaper | yes, unless it costs more | ok, but only for 3 days | yes and no | yes no | no yes | I said no not yes | yes, no, wait | maybe | perhaps | probably | I think so |
			I guess so | I guess | not sure | I'm not sure | I don't know | let me think | let me check | wait | wait a minute | hold on | just a second | later | it depends | why not | whatever | yeah right | as if | yes? | ok? | sure? |
			really? | are you sure? | yes... | ok… | hmm | hmm, yes | well, yes | don't stop | don't cancel | no cancel | ok wait | yes, how much is it? | yes, for 10 days | ok, the second one | sure, if my phone works | 10 days, yes |
			yes please, the other one | right | good | got it | I see | understood | not bad | I'm good | all good | yes but | ok then why | sure, what is the price | yes tomorrow | fine, I'll ask my wife | okay but cheaper | go ahead and cancel | agree, it is not ok | sort of | either | up to you | sorry | what`,
		None: `hello | how much data is left | 10 days | the second one | until Friday | renew my line | what is the best plan | is it ok to use a hotspot | 3GB | I want unlimited | | ??? | my friend said the plan is great value | can I pay with PayPal then`,
	},
	Chinese: {
		Yes: `是 | 是的 | 是的是的 | 对 | 对的 | 对对对 | 没错 | 好 | 好的 | 好的，谢谢 | 好啊 | 好呀 | 好嘞 | 好吧 | 行 | 行的 | 行，就这样 | 可以 | 可以的 | 可以啊 | 没问题 | 沒問題 | 沒有問題 | 嗯 | 嗯嗯 | 嗯，好的 | 要 | 要的 | 我要 |
			同意 | 我同意 | 确认 | 確認 | 确定 | 我确定 | 当然 | 當然可以 | 必须的 | 一定 | 就这样吧 | 就這麼辦 | 续吧 | 買吧 | 付款吧 | 确认付款 | 確認續費 | OK | ok的 | ＯＫ | 👌 | 👍好的 | 好的好的 | 那好吧 | 成交 | 没意见 | 可以，麻烦你了 | 好，下单吧 | yes | 好！ | 是啊，谢谢`,
		No: `不 | 不是 | 不对 | 不好 | 不行 | 不行不行 | 不可以 | 不要 | 不要了 | 不要，谢谢 | 不用 | 不用了，谢谢 | 不需要 | 沒必要 | 不必 | 不了 | 不同意 | 我不同意 | 不确认 | 不接受 | 不愿意 | 不買 | 不续了 | 不付 | 没有 | 否 | 别 | 先别 | 先不要 |
			暂时不用 | 算了 | 算了吧 | 還是算了 | 还是不要了 | 拒绝 | 反对 | 取消 | 取消吧 | 停 | 当然不 | 当然不行 | 肯定不行 | 绝对不行 | 不可能 | 没兴趣 | 错了 | 太贵了 | 下次吧 | 以后再说 | 不，我要十天 | 不是，是第二个 | 不，十天 | 👎 | 唔要 | no | 不不不 | 不想 | 別續費`,
		Unsure: `好吧等一下 | 好，但是要十天 | 可以，不过太贵了 | 可以，如果便宜一点 | 行，等我问问老婆 | 不是不要 | 不是不行 | 不是不可以 | 不得不 | 也许 | 可能 | 可能吧 | 大概 | 应该可以 | 應該是吧 | 是吧 | 对吧 | 好像是 | 不一定 | 不确定 | 不知道 | 说不准 |
			看情况 | 再看看 | 再想想 | 让我想想 | 考虑一下 | 我考慮考慮 | 等等 | 等一下 | 稍等 | 随便 | 隨便吧 | 都行 | 都可以 | 无所谓 | 还行 | 差不多 | 真的吗 | 是吗 | 好吗 | 可以吗 | 行吗？ | 是不是 | 对不对 | 要不要 | 好？ | 好不好 | 嗯？ | 嗯… | 好…… |
			對，我說不要洋蔥 | 同意，那不好 | 好，十天 | 好的，第二个 | 是的，多少钱 | 好贵 | 好久 | 对不起 | 不好意思 | 不错 | 对了 | 得了 | 行了 | 够了够了吧 | 要十天 | 可以退吗 | 是谁 | 好了 | 可以不买吗 | 不能不要 | 明白 | 知道了 | 收到 | 嗯，不 | 好，不要 | 要不 | 没说不要 | 确认一下 | 行李 | 是我`,
		None: `你好 | 还剩多少流量 | 十天 | 第二个 | 到周五 | 帮我续费 | 哪个套餐最划算 | 三千日元 | 热点能用吗 | 我想买无限流量 | 要是能便宜点就好 | | 怎样付钱`,
	},
	Japanese: {
		Yes: `はい | はい！ | はいはい | はーい | ハイ | ﾊｲ | ええ | うん | うん、お願い | そうです | そうですね | その通りです | もちろん | もちろんです | オッケー | オッケーです | OK | OKです | ｏｋ | よい | よいです | いいですよ | 賛成です | 同意します | 同意 | 承認します | 確定 |
			お願いします | はい、お願いします | おねがいします | お願いいたします | よろしくお願いします | ぜひ | ぜひお願いします | それでお願いします | それでいいです | それで大丈夫です | これでお願いします | 問題ありません | 問題ないです | 間違いありません | 合っています | 正しいです | 進めてください | 続けてください |
			やってください | 延長してください | 延長します | 購入します | 買います | 支払います | 構いません | はい、そうです | はい、ありがとうございます | 👌🏿 | 👍 | はい、了解です | 決定 | yes | じゃあ、お願いします | はい、わかりました`,
		No: `いいえ | いえ | いえいえ | いや | いやです | 嫌です | ううん | 違います | ちがう | だめ | ダメです | 駄目です | いいえ、駄目です。 | 無理です | いらない | いりません | 要りません | 不要です | 必要ないです | 必要ありません | しないでください | しません | やりません | やめます | やめておきます | やめてください |
			やっぱりやめます | やっぱりいいです | もういいです | 遠慮します | 遠慮しておきます | 断ります | お断りします | キャンセル | キャンセルします | キャンセルでお願いします | キャンセルお願いします | 取り消してください | 中止 | 止めてください | 買いません | 払いません | 延長しません | 更新しないでください | まだです | 今回はいいです |
			また今度 | 次回にします | そうじゃない | そうではありません | よくないです | 間違いです | 同意しません | 高すぎます | いいえ、10日です | いいえ、二番目です | いいえ、結構です | いえ、大丈夫です | 👎 | no | ノー | 反対です | それは違います | できません`,
		Unsure: `はい、でも… | はい、でも高いです | はい、ただし10日 | はい、10日で | はい、二番目で | はい？ | はい、いくらですか | はいじゃない | 結構です | いいです | いい | いいよ | 大丈夫です | だいじょうぶ | たぶん | 多分はい | おそらく | かもしれない | そうかもしれません | そうかな | そうですか | そうなんですか |
			でしょうか | うーん | うーん、はい | んー | えーと | えっと、はい | まあ | まあまあ | どうしよう | どうかな | どちらでも | どっちでもいい | わからない | わかりません | 分かりません | 微妙 | 迷っています | 考えます | 考えさせてください | 検討します | ちょっと | ちょっと待って | 待ってください | 少々お待ちください |
			後で | また後で | でも | 本当ですか | え？ | なんで | もう一度 | やっぱり | いいんですか | いいですか | よければ | とりあえず | いらないわけではない | 嫌じゃない | だめじゃない | 悪くない | 無理じゃない | はい、いいえ | いいえ、はい | はい、やっぱりいいです | はい… | お願いしますか | 確認します | 了解です | わかりました |
			なるほど | はい、安くなるなら | もし安ければお願いします | 明日お願いします | はい、明日 | 10日、お願いします | いいえじゃない | それで？ | お願いしたいけど高い | はいと言いたいけど`,
		None: `こんにちは | あと何ギガ残っていますか | 10日間 | 二番目 | 金曜日まで | 延長の料金を教えて | 一番安いプランは何ですか | 3千円 | テザリングできますか | 使い放題が欲しい | | PayPalで払えますか`,
	},
}

func TestAnswers(t *testing.T) {
	for l, rows := range replies {
		n := 0
		for want, list := range rows {
			for said := range strings.SplitSeq(list, "|") {
				said = strings.TrimSpace(said)
				n++
				if got := Answer(said, l); got != want {
					t.Errorf("%s: %q is %q, want %q", l, said, got, want)
				}
			}
		}
		if n < 150 {
			t.Errorf("%d phrases of %s", n, l)
		}
	}
}

// A yes with anything around it that a yes does not have is none, whatever the yes is.
func TestYesesAreOnlyYeses(t *testing.T) {
	spoil := map[Language][]string{
		English:  {"%, but later", "%?", "not %", "%, if it is cheap", "% no", "no %", "maybe %", "%, for 10 days", "% or not", "isn't that %", "I would say % tomorrow", "wait, %", "% ...", "%, unless", "he said %", "is % ok"},
		Chinese:  {"%，但是", "%吗", "%？", "不%", "%，如果便宜", "不是%", "也许%", "%，十天", "%还是不%", "等一下，%", "%……", "他说%", "%不%", "没说%", "要是%"},
		Japanese: {"%、でも", "%か", "%？", "%じゃない", "%、安ければ", "いいえ、%", "たぶん%", "%、10日", "%かな", "待って、%", "%…", "%とは言ってない", "%けど", "%ではありません"},
	}
	for l, rows := range replies {
		for yes := range strings.SplitSeq(rows[Yes], "|") {
			yes = strings.TrimSpace(yes)
			for _, s := range spoil[l] {
				if said := strings.ReplaceAll(s, "%", yes); Answer(said, l) == Yes {
					t.Errorf("%s: %q is a yes", l, said)
				}
			}
		}
	}
}

// A yes beside anything that is not one is none, in either order and with any pause.
func TestYesesBesideOthers(t *testing.T) {
	understood := "了解です わかりました got it understood good 明白 知道了 收到" // "got it, yes" is a yes
	for l, rows := range replies {
		others := strings.Split(rows[No]+"|"+rows[Unsure], "|")
		for yes := range strings.SplitSeq(rows[Yes], "|") {
			yes = strings.TrimSpace(yes)
			for _, other := range others {
				other = strings.TrimSpace(other)
				if strings.Contains(understood, other) {
					continue
				}
				for _, pause := range []string{"", " ", ", ", "。"} {
					for _, said := range []string{yes + pause + other, other + pause + yes} {
						if Answer(said, l) == Yes {
							t.Errorf("%s: %q is a yes", l, said)
						}
					}
				}
			}
		}
	}
}

// A yes in any case, width and script is one.
func TestAnswersFold(t *testing.T) {
	for _, c := range []struct {
		said string
		l    Language
	}{{"YES", English}, {"Ｙｅｓ！", English}, {"沒問題", Chinese}, {"ﾊｲ", Japanese}, {"  yes  ", English}, {"yes", Language("")}, {"ok", Chinese}} {
		if got := Answer(c.said, c.l); got != Yes {
			t.Errorf("%q is %q", c.said, got)
		}
	}
}

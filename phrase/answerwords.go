package phrase

// answersAny are understood in every language.
var answersAny = tabulate(entries[piece]{
	{"ok okay okey oki okie yes yep yeah yup 👌 👍 ✅ ✔ 🙆 🆗 ⭕ 💯", saysYes},
	{"no nope 👎 ❌ ✖ 🙅 🚫 ⛔", saysNo},
	{"🤔 🤷 😅 hmm hm", saysUnsure},
	{"🙏 😊 🙂 😀 😄 👏 ♂ ♀ ️ thx thanks thank_you please pls ! ❤", polite},
})

// answersEn are the English phrases. What may mean either, or is said to
// think, is unsure.
var answersEn = tabulate(entries[piece]{
	{"yes yes_yes yeah yea yep yup ya yess yesss y aye sure sure_thing of_course certainly definitely absolutely totally indeed affirmative correct that's_right that_is_right that's_correct", saysYes},
	{"exactly agreed agree i_agree confirm confirmed i_confirm i_do i_am i_will let's_do_it let's_do_that do_it do_that do_so go_ahead go_for_it proceed please_do please_proceed please_go_ahead make_it_so works_for_me that_works", saysYes},
	{"that_works_for_me sounds_good sounds_great sounds_fine sounds_perfect that_sounds_good that_sounds_great looks_good looks_fine looks_right that's_fine that_is_fine that's_ok that_is_ok it's_ok it_is_ok it's_fine that's_good that's_great fine fine_by_me fine_with_me perfect excellent", saysYes},
	{"alright all_right very_well no_problem no_problem_at_all not_a_problem no_objection no_objections by_all_means with_pleasure happy_to i'm_in i'm_ok_with_that i'm_fine_with_that i_accept accept accepted approved approve yes_i_do yes_i_am yes_it_is yes_that's_right yes_i'm_sure", saysYes},
	{"i'm_sure i_am_sure yes_of_course deal done_deal k kk okey-dokey okie_dokie ok_then okay_then yes_sir yes_ma'am i_want_it i_want_that i'd_love_to i_would_love_to i'd_like_that i_would_like_that lgtm so_yes well_yes oh_yes yes_please", saysYes},
	{"ok_please ok_thanks yes_thanks of_course_yes yes_sure yes_ok yes_do_it yes_go_ahead yes_please_do just_do_it yes_that's_fine yes_confirm yes_i_confirm yes_i_agree yes_i_accept that_sounds_very_good very_good", saysYes},
	{"no no_no nope nah nay n negative no_way never not not_now not_yet not_today not_really not_at_all not_this_time not_ok not_okay not_good not_fine not_right not_correct not_interested not_necessary", saysNo},
	{"no_need no_thanks no_thank_you no_thx nothing none don't do_not don't_do_it don't_do_that do_not_do_it please_don't please_do_not don't_want_it i_don't i_do_not i_won't i_will_not i_don't_want_it i_don't_want_to i_don't_want_that i_do_not_want_it i_do_not_want_to i_don't_think_so", saysNo},
	{"i_do_not_think_so i_don't_agree i_do_not_agree disagree i_disagree i_refuse refuse refused decline declined i_decline reject rejected cancel cancel_it cancel_that cancel_this cancel_please stop stop_it stop_that abort forget_it forget_about_it", saysNo},
	{"nevermind never_mind wrong that's_wrong that_is_wrong incorrect that's_not_right that_is_not_right that's_not_correct that's_not_ok that_is_not_ok it's_not_ok it_is_not_ok it_isn't_ok that's_not_it leave_it drop_it skip_it skip pass i'll_pass i_pass hard_pass certainly_not", saysNo},
	{"definitely_not absolutely_not of_course_not sure_not i_said_no i'm_good_thanks no_deal no_longer no_more changed_my_mind i_changed_my_mind i've_changed_my_mind too_expensive it's_too_expensive don't_bother dont don't_pay do_not_pay don't_charge don't_renew do_not_renew dont_renew dont_do_it i_dont_think_so", saysNo},
	{"i_dont_want_it i_dont_want_to i_dont i'd_rather_not i_would_rather_not rather_not better_not i_can't i_cannot can't cannot no_don't no_do_not no_no_no please_no no_please no_never no_not_now no_not_yet no_i_don't no_i_do_not no_i_don't_want_to no_i_don't_want_it no_i_don't_think_so", saysNo},
	{"no_it's_not no_it_isn't no_that's_wrong no_it's_wrong no_way_no don't_cancel_no no_absolutely_not no_definitely_not no_cancel_it no_stop no_forget_it nah_thanks nah_i'm_good no_i'm_good no_i'm_fine no_it's_ok no_it's_okay no_it's_fine no_that's_ok no_that's_fine no_thank_you_very_much please_cancel please_stop", saysNo},
	{"maybe perhaps possibly probably probably_not likely unlikely i_think i_think_so i_guess i_guess_so i_suppose i_suppose_so i_hope_so i'm_not_sure i_am_not_sure im_not_sure not_sure unsure i'm_unsure uncertain not_certain i_don't_know i_do_not_know", saysUnsure},
	{"idk i_dont_know dunno don't_know no_idea no_clue who_knows hard_to_say it_depends depends that_depends let_me_think let_me_think_about_it let_me_check let_me_see i'll_think_about_it i_need_to_think i'll_see we'll_see wait wait_a_minute wait_a_moment wait_a_second wait_a_sec", saysUnsure},
	{"hold_on hang_on one_moment one_second one_sec just_a_moment just_a_second just_a_minute just_a_sec a_moment a_minute a_second later maybe_later not_so_fast but however although though if unless except only_if yes_if", saysUnsure},
	{"yes_but ok_but no_but so_so kind_of sort_of kinda sorta could_be might_be i_might might whatever up_to_you either either_way if_you_say_so i'm_good i'm_fine i'm_okay i_am_good i_am_fine all_good it's_all_good", saysUnsure},
	{"yeah_right yeah_no yeah_nah as_if why why_not what huh pardon sorry excuse_me really are_you_sure is_it is_that_so seriously hmm hm umm um uh uhh er erm", saysUnsure},
	{"well mmm mm uh_huh uh-huh uh-uh uh_uh mhm mm-hmm mm_hmm help not_bad not_wrong not_no isn't_it right_now_no too_bad can_i could_i should_i shall_i do_i or and", saysUnsure},
	{"then instead what_if how_about actually mostly almost nearly partly it_seems seems_so apparently right go_on good great cool like_that like_this so_what right_there well_well is_that_ok is_it_ok", saysUnsure},
	{"yes_no ok_no", saysUnsure},
	{"got_it i_see understood roger roger_that noted i_understand i_got_it you_got_it i_know makes_sense fair_enough", heard},
	{"please pls plz thanks thank_you thank_you_very_much thanks_a_lot many_thanks thx ty cheers then sir ma'am madam mate man dear oh ah now with_it with_that today", polite},
	{"well_then my_friend buddy right_away immediately at_once right_now", polite},
})

// answersZh are the Chinese phrases, of either script.
var answersZh = tabulate(entries[piece]{
	{"是 是的 是啊 是呀 是哦 是滴 是的是的 对 对的 对对 对对对 对啊 对呀 对头 没错 不错就是这样 正确 好 好的 好好 好好好 好啊 好呀 好哒", saysYes},
	{"好哦 好喔 好滴 好嘞 好咧 好勒 好吧 好呢 好的好的 行 行的 行啊 行吧 行呀 行行 行行行 可以 可以的 可以啊 可以呀 可以可以 没问题 没有问题 没问题的", saysYes},
	{"嗯 嗯嗯 嗯呢 嗯好 恩 恩恩 哦好 噢好 要 要的 我要 想要 我想要 愿意 我愿意 同意 我同意 赞成 确认 确定 我确认 我确定 确认无误 确认付款", saysYes},
	{"确认续费 确认购买 确认支付 当然 当然可以 当然好 当然要 当然了 必须的 必须 肯定 一定 成 成交 得嘞 妥 妥了 OK的 ok的 ok啦 没毛病 没意见 没有意见 没异议", saysYes},
	{"接受 我接受 就这样 就这么办 就这样吧 就这么定了 就它了 就这个 就这个吧 就要这个 办吧 续吧 续费吧 买吧 付吧 付款吧 支付吧 下单 下单吧 开始吧 来吧 搞定 批准 允许", saysYes},
	{"走起 可 可行 冇问题 係 係呀 好啊可以 同意的 是的没错 好的没问题 行没问题 那好 那好吧 那行 那行吧 那可以 那就这样 那就这样吧 嗯可以 嗯好的 嗯行 就这样定了 好就这样 可以就这样", saysYes},
	{"不 不不 不不不 不是 不是的 不是啦 不对 不对的 不好 不行 不行的 不可以 不可 不要 不要了 我不要 不想 不想要 我不想 不想了 不用 不用了 不用啦 不必", saysNo},
	{"不必了 不需要 不需要了 没必要 不了 不了不了 不同意 不确认 不确定付款 不接受 不愿意 不愿 不肯 不行不行 不买 不买了 不续 不续了 不续费 不付 不付了 不付款 不成 不中", saysNo},
	{"不得 没有 没 没啦 否 否定 否认 别 别了 别别 先别 先不 先不要 先不用 先不了 暂时不 暂时不要 暂时不用 暂不 暂不需要 算了 算了吧 还是算了 还是不要", saysNo},
	{"还是不要了 还是别了 拒绝 反对 取消 取消吧 取消掉 停 停止 停下 住手 免了 免谈 才不 才不要 才不是 绝不 绝对不行 绝对不要 当然不 当然不要 当然不行 当然不是 肯定不", saysNo},
	{"肯定不行 一点都不 从不 不可能 没兴趣 不感兴趣 错 错了 不正确 唔要 唔好 唔係 唔使 有问题 不合适 太贵了 太贵 不划算 不喜欢 改天吧 改天 下次吧 下次 以后再说", saysNo},
	{"不给 不让 莫 勿 免 不行啊 不要啊 不好啊 不用谢谢 不要谢谢 不用麻烦 那算了 那算了吧 那不要 那不要了 那不用了 够了够了 别续 别续了 别买 别付 不要续 不要续费 不要买", saysNo},
	{"不要付款 不要付 不想续 不想续费 不想买 不同意付款 还是不了 我不 我不同意 我不确认 我不接受 我不愿意 我不续 我不买 我不用 我不需要 我拒绝", saysNo},
	{"也许 可能 大概 或许 应该 应该是 应该可以 应该是吧 大概是 大概吧 可能吧 可能是 也许吧 是吧 对吧 好像 好像是 似乎 不一定 不确定 不太确定 不知道 不清楚 不晓得", saysUnsure},
	{"说不好 说不准 不好说 难说 看情况 看看 看看吧 再看看 我看看 再说 再说吧 再想想 想想 想一想 我想想 让我想想 让我想一下 让我看看 考虑 考虑一下 考虑考虑 我考虑一下 等等 等", saysUnsure},
	{"等一下 等一等 等下 等会 等会儿 稍等 稍等一下 慢着 慢 且慢 先等等 待会 待会儿 一会儿 不过 但 但是 可是 然而 只是 除非 如果 要是 假如", saysUnsure},
	{"只要 的话 随便 随便吧 都行 都可以 都可以吧 无所谓 还行 还可以 还好 凑合 一般 马马虎虎 勉强 差不多 真的吗 真的假的 真的 是吗 对吗 好吗 行吗 可以吗", saysUnsure},
	{"是不是 对不对 好不好 行不行 可不可以 要不要 能不能 吗 么 嘛 呃 额 啊 什么 为什么 怎么 啥 哪个 多少 几 不是不要 不是不行 不是不好 不是不可以", saysUnsure},
	{"不是不想 不是没有 不是不同意 不得不 不能不 不会不 不无 没有不 没说不 没说要 没说好 不错 好说 好不 好贵 好多 好久 好难 是否 可否 能否 要么 或者 还是", saysUnsure},
	{"万一 以防 然后 再 先 只 才 最好 另外 换 改 中 得 冲 准 去吧 好了 行了 可以了 对了 成了 得了 得了吧 中了", saysUnsure},
	{"是了 够了 可以吧 那就好 好了好了 行了行了 好像吧 嗯... 嗯嗯... 嗯。。。 不是不能 不是不用 不是不需要 不要不 不是不买 不是不续 好不好吧 不好吧 不会吧 不是吧 行不行啊 不行吗 没事 没关系", saysUnsure},
	{"没啥 安排 要不 要不然 不然 再见 拜拜 是我 好得很 好的吗", saysUnsure},
	{"收到 明白 明白了 知道了 知道 了解 了解了 懂了 清楚了 好滴知道了 晓得了 哦 噢 哦哦", heard},
	{"谢谢 谢谢你 谢谢您 谢谢啦 多谢 感谢 非常感谢 麻烦 麻烦了 麻烦你 麻烦您 麻烦你了 请 拜托 拜托了 辛苦了 劳驾 啦 啊 呀 哟 喔 呢 哈", polite},
	{"哈哈 嘿 嘻嘻 亲 老板", polite},
})

// answersJa are the Japanese phrases. いいです, 結構です and 大丈夫です mean yes to
// one question and no to another, so they are neither.
var answersJa = tabulate(entries[piece]{
	{"はい はいはい はーい はぁい はいっ ハイ ええ えぇ うん うんうん うむ そう そうです そうですね そうだ そうだね そうそう その通り そのとおり その通りです そのとおりです もちろん もちろんです 勿論", saysYes},
	{"勿論です オッケー オッケーです オーケー オーケーです おっけー おけ おk okです ok ok牧場 よい 良い よいです 良いです いいですよ いいとも いいですとも よろしい よろしいです 賛成 賛成です 同意 同意します", saysYes},
	{"同意です 承認 承認します 確定 確定します 確定で 確定でお願いします お願いします おねがいします お願いいたします おねがい お願い お願いする 頼む 頼みます よろしく よろしくお願いします よろしくお願いいたします 宜しくお願いします ぜひ 是非 ぜひお願いします ぜひとも それでお願いします", saysYes},
	{"それでいいです それでよいです それで良いです それで大丈夫です それでいい それで結構です これでお願いします これでいいです これでよいです これで大丈夫です 問題ない 問題ないです 問題ありません 問題なし 異議なし 間違いない 間違いないです 間違いありません 間違いなし 合ってます 合っています あってます あっています 正しい", saysYes},
	{"正しいです 正解 正解です 進めてください すすめてください 進めて 進めてお願いします 続けてください やってください やって やります します しましょう する 買います 払います 支払います 購入します 延長します 延長してください 更新します 更新してください 申し込みます 決定", saysYes},
	{"決まり 決めた イエス いえす 当然 当然です 構いません かまいません 構わない かまわない 構わないです はいお願いします ええお願いします うんお願い はいそうです はいその通りです はいそれでお願いします お願い致します 宜しくお願い致します ではお願いします じゃあお願いします では、お願いします", saysYes},
	{"いいえ いえ いえいえ いーえ いや いやいや いやだ 嫌 嫌だ 嫌です いやです イヤ ううん うーうん ちがう 違う 違います ちがいます 違うよ 違うって だめ ダメ 駄目 だめです", saysNo},
	{"ダメです 駄目です 無理 無理です むり ノー のー 否 否定 反対 反対です いらない 要らない いりません 要りません いらないです 要らないです 不要 不要です 必要ない 必要ないです 必要ありません しない しないで", saysNo},
	{"しないです しません しなくていい しなくていいです しなくて大丈夫です しないでください やらない やりません やらなくていい やらないでください やめる やめます やめて やめてください やめとく やめときます やめておく やめておきます やめよう やっぱりやめる やっぱりやめます やっぱりいい やっぱりいいです もういい", saysNo},
	{"もういいです もういいよ 遠慮 遠慮します 遠慮しておきます 遠慮しときます 遠慮いたします 断る 断ります お断り お断りします お断りです お断りいたします 結構ですいりません キャンセル キャンセルします キャンセルで キャンセルしてください キャンセルでお願いします 取り消し 取り消します 取り消して 取り消してください 中止", saysNo},
	{"中止して 中止してください 中止します 止めて 止めてください 買わない 買いません 払わない 払いません 延長しない 延長しません 更新しない 更新しません まだ まだです まだいい まだいいです 今はいい 今はいいです 今回はいいです 今回は結構です 今回はやめておきます 今はやめておきます また今度", saysNo},
	{"また今度にします またにします 次回にします 後にします 不可 そうじゃない そうじゃないです そうではない そうではありません そうじゃありません よくない よくないです 良くない 良くないです よくありません 良くありません 間違い 間違いです 間違ってます 間違っています 同意しない 同意しません 承認しない 承認しません", saysNo},
	{"できない できません 高い 高いです 高すぎる 高すぎます お願いしません お願いしない それは違います それはちょっと キャンセルお願いします 取り消しお願いします 中止お願いします 延長しないで 延長しないでください 更新しないでください 買わないで 払いたくない 払いたくないです 延長したくない 延長したくないです したくない したくないです 欲しくない", saysNo},
	{"欲しくないです ほしくないです いいえ違います いえ違います いえいえ結構です", saysNo},
	{"いいね いいですね いいかも 良さそう よさそう たぶん 多分 おそらく 恐らく かも かもしれない かもしれません かな かなあ でしょうか ですか ますか か かしら だろう でしょう と思う と思います だと思う", saysUnsure},
	{"だと思います そうかも そうかな そうなの そうなんですか そうですか そうですかね そうか そっか うーん うーーん うーむ んー んーー えーと えーっと ええと えっと えと あの あのー あのう まあ まぁ", saysUnsure},
	{"まあまあ まあね さあ さぁ どう どうしよう どうしようかな どうかな どうでしょう どうだろう どうも どちらでも どっちでも どっちでもいい どちらでもいい なんでもいい 何でもいい わからない 分からない わかりません 分かりません わからん 知らない 知りません", saysUnsure},
	{"微妙 微妙です 迷う 迷っています 迷ってます 迷い中 考え中 考えます 考えさせて 考えさせてください 考えておきます 検討します 検討中 少し考えます ちょっと考えます ちょっと ちょっと待って ちょっと待ってください ちょっとまって 待って 待ってください まって 少々お待ちください 少し待って", saysUnsure},
	{"後で あとで 後ほど また後で また後にします でも だけど けど けれど けれども ただ ただし しかし が なら ならば たら れば もし もしも 場合 条件 本当 本当に", saysUnsure},
	{"本当ですか ほんと ほんとに まじ マジ え えっ え? は なに 何 なんで なぜ いくら いつ どれ どの もう一度 もう一回 確認したい 確認させて 確認させてください やっぱり やはり", saysUnsure},
	{"じゃなくて ではなくて じゃない ではない ない ません なく ないわけではない ないわけじゃない いらないわけではない いらないわけじゃない 嫌じゃない いやじゃない 嫌ではない だめじゃない ダメじゃない 駄目ではない 違わない 悪くない 悪くないです 無理じゃない はいじゃない いいえじゃない いいのかな", saysUnsure},
	{"いいんですか いいの いいですか いいけど よければ いくらか 一応 とりあえず 一旦 できれば それで これで 確認 確認します 確認しました そうですよね そうだよね ですよね だよね もちろんない すぐ では ちょっといい いいなあ", saysUnsure},
	{"いいな はいはいはい でもいい でもいいです", saysUnsure},
	{"結構 結構です けっこうです けっこう 大丈夫 大丈夫です だいじょうぶ だいじょうぶです 平気 平気です いいです いい いいよ", eitherWay},
	{"了解 了解です 了解しました 了解いたしました りょうかい 承知 承知しました 承知いたしました 承知です わかりました 分かりました わかった 分かった かしこまりました なるほど なるほどですね へえ ふーん 知ってます 知っています", heard},
	{"です ですよ ですね だよ だ よ ね お で ありがとう ありがとうございます ありがと どうもありがとう どうもありがとうございます サンキュー すみません すいません 恐れ入ります 申し訳ありません 申し訳ないです ごめん ごめんなさい すぐに 今すぐ", polite},
	{"早速 じゃあ それでは じゃ 笑 w", polite},
})

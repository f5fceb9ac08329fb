//! How many tokens a text will cost, roughly, before any model is asked.
//!
//! An estimate, not a count. Letters at a rate that depends on the language and the script; digits one by one, because
//! Gemini's vocabulary splits numbers into single digits (four characters per token, the usual rule, finds less than half
//! of the tokens in a form full of numbers); signs and lines nearly a token each; blanks for the words they begin. The
//! real usage in a provider's answer is the truth, and corrects the estimate model by model; this is for budgets and for
//! choosing a model before the call.
//!
//! The rates are a least-squares fit to Gemini's published vocabulary (262,144 pieces, the gemma 3 SentencePiece model)
//! over one half of: the sentences of lingua-rs's test data in 75 languages, put together to pages, and documents full of
//! ids, as they are and redacted. On the other half the mean error is 2.2 %, and 93 % of the documents are within 5 %.
//! Languages that were not measured take the middle rate of their script. Emoji and source code were not measured.

/// Thousandths of a token, for what costs the same in every language.
mod shared {
    pub(super) const DIGIT: u64 = 1143;
    /// A blank begins a word; of several in a row the first one.
    pub(super) const BLANK: u64 = 591;
    pub(super) const LINE: u64 = 1600;
    /// Punctuation and signs of ASCII, and those beyond it.
    pub(super) const SIGN: u64 = 1022;
    pub(super) const OTHER_SIGN: u64 = 1000;
    /// A letter of a script that was not measured: errs on the dear side.
    pub(super) const UNKNOWN: u64 = 1000;
}

/// Thousandths of a token for a letter, by language (ISO 639-1).
type Rates = &'static [(&'static str, u64)];

#[rustfmt::skip]
const LATIN: Rates = &[
    ("en", 91), ("de", 148), ("fr", 134), ("es", 136), ("it", 149), ("pt", 138), ("nl", 170), ("af", 200), ("bs", 226),
    ("ca", 184), ("cs", 247), ("cy", 289), ("da", 198), ("eo", 237), ("et", 260), ("eu", 244), ("fi", 267), ("ga", 292),
    ("hr", 228), ("hu", 267), ("id", 136), ("is", 320), ("la", 200), ("lg", 302), ("lt", 275), ("lv", 310), ("mi", 286),
    ("ms", 136), ("nb", 203), ("nn", 216), ("pl", 214), ("ro", 201), ("sk", 257), ("sl", 243), ("sn", 282), ("so", 278),
    ("sq", 279), ("st", 267), ("sv", 203), ("sw", 240), ("tl", 209), ("tn", 265), ("tr", 217), ("ts", 284), ("vi", 144),
    ("xh", 317), ("yo", 377), ("zu", 307),
];
const OTHER_LATIN: u64 = 230;
const CYRILLIC: Rates =
    &[("ru", 185), ("uk", 241), ("bg", 235), ("be", 334), ("kk", 364), ("mk", 279), ("mn", 426), ("sr", 292)];
const OTHER_CYRILLIC: u64 = 290;
const ARABIC: Rates = &[("ar", 254), ("fa", 211), ("ur", 219)];
const OTHER_ARABIC: u64 = 230;
const DEVANAGARI: Rates = &[("hi", 168), ("mr", 210)];
const OTHER_DEVANAGARI: u64 = 200;
/// Han beside kana is split into single characters, nearly.
const HAN: Rates = &[("ja", 1075)];
const OTHER_HAN: u64 = 682;

/// Estimates the tokens of `text`, written in `language` (ISO 639-1).
pub fn estimate(text: &str, language: &str) -> u64 {
    let of = |rates: Rates, other| {
        rates.iter().find(|(known, _)| *known == language).map_or(other, |(_, rate)| *rate)
    };
    // Latin words in a text of another script are mostly English.
    let latin = of(LATIN, if is_latin(language) { OTHER_LATIN } else { LATIN[0].1 });
    let (cyrillic, arabic) = (of(CYRILLIC, OTHER_CYRILLIC), of(ARABIC, OTHER_ARABIC));
    let (devanagari, han) = (of(DEVANAGARI, OTHER_DEVANAGARI), of(HAN, OTHER_HAN));
    let mut blank = false;
    let mut thousandths = 0;
    for c in text.chars() {
        let before = std::mem::replace(&mut blank, false);
        thousandths += match c {
            'a'..='z' | 'A'..='Z' => latin,
            ' ' => {
                blank = true;
                if before { 0 } else { shared::BLANK }
            }
            '\n' => {
                blank = true;
                shared::LINE
            }
            '0'..='9' => shared::DIGIT,
            '\0'..='\x7f' => shared::SIGN,
            _ if c.is_whitespace() => {
                blank = true;
                if before { 0 } else { shared::BLANK }
            }
            _ if c.is_numeric() => shared::DIGIT,
            '\u{c0}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' => latin,
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => 319,
            '\u{400}'..='\u{52f}' => cyrillic,
            '\u{530}'..='\u{58f}' => 512,
            '\u{590}'..='\u{5ff}' => 408,
            '\u{600}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' => arabic,
            '\u{900}'..='\u{97f}' => devanagari,
            '\u{980}'..='\u{9ff}' => 164,
            '\u{a00}'..='\u{a7f}' => 525,
            '\u{a80}'..='\u{b7f}' => 342,
            '\u{b80}'..='\u{bff}' => 200,
            '\u{c00}'..='\u{dff}' => 316,
            '\u{e00}'..='\u{eff}' => 336,
            '\u{10a0}'..='\u{10ff}' => 398,
            '\u{3040}'..='\u{30ff}' => 250,
            '\u{ac00}'..='\u{d7af}' => 573,
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => han,
            _ if c.is_alphabetic() => shared::UNKNOWN,
            _ => shared::OTHER_SIGN,
        };
    }
    u64::div_ceil(thousandths, 1000)
}

/// Whether a language is written in Latin letters, as far as is known here.
fn is_latin(language: &str) -> bool {
    const OTHERS: [&str; 27] = [
        "ar", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "kn", "ko", "mk", "ml",
        "mn", "mr", "pa", "ru", "ta", "te", "th", "uk", "ur", "zh",
    ];
    !OTHERS.contains(&language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(estimate("", "en"), 0);
        assert_eq!(estimate(&"a".repeat(1000), "en"), 91);
        assert_eq!(estimate(&"a".repeat(1000), "und"), 230);
        assert_eq!(estimate(&"a".repeat(1000), "ru"), 91);
        assert_eq!(estimate("1234567890", "en"), 12);
        assert_eq!(estimate(&"中".repeat(1000), "zh"), 682);
        assert_eq!(estimate(&"中".repeat(1000), "ja"), 1075);
        assert_eq!(estimate("a    b", "en"), estimate("a b", "en"));
    }

    /// Counts of Gemini's vocabulary, taken with its SentencePiece model.
    #[test]
    fn real_counts() {
        for (language, text, counted) in [
            (
                "en",
                "The landlord lets the flat on the second floor to the tenant from 1 April 2026 for an indefinite period. The rent is 1,250.00 euros a month and is due on the third working day of each month. Either party may terminate the contract in writing with three months' notice. The tenant pays a deposit of three months' rent, which the landlord keeps apart from his own money.",
                88,
            ),
            (
                "de",
                "Der Vermieter überlässt dem Mieter die Wohnung im zweiten Obergeschoss ab dem 1. April 2026 auf unbestimmte Zeit. Die Miete beträgt 1.250,00 Euro im Monat und ist am dritten Werktag eines jeden Monats fällig. Beide Parteien können den Vertrag schriftlich mit einer Frist von drei Monaten kündigen. Der Mieter leistet eine Kaution von drei Monatsmieten, die der Vermieter getrennt von seinem Vermögen anlegt.",
                112,
            ),
            (
                "pl",
                "Wynajmujący oddaje najemcy w najem mieszkanie na drugim piętrze od 1 kwietnia 2026 roku na czas nieokreślony. Czynsz wynosi 1.250,00 euro miesięcznie i jest płatny trzeciego dnia roboczego każdego miesiąca. Każda ze stron może wypowiedzieć umowę na piśmie z zachowaniem trzymiesięcznego okresu wypowiedzenia. Najemca wpłaca kaucję w wysokości trzech czynszów.",
                113,
            ),
            (
                "ru",
                "Арендодатель сдаёт арендатору квартиру на втором этаже с 1 апреля 2026 года на неопределённый срок. Арендная плата составляет 1250,00 евро в месяц и вносится в третий рабочий день каждого месяца. Каждая из сторон вправе расторгнуть договор, письменно предупредив об этом за три месяца. Арендатор вносит залог в размере трёх месячных платежей, который возвращается в конце.",
                106,
            ),
            (
                "el",
                "Ο εκμισθωτής εκμισθώνει στον μισθωτή το διαμέρισμα του δεύτερου ορόφου από την 1η Απριλίου 2026 για αόριστο χρόνο. Το μίσθωμα ανέρχεται σε 1.250,00 ευρώ τον μήνα και καταβάλλεται την τρίτη εργάσιμη ημέρα κάθε μήνα. Κάθε μέρος μπορεί να καταγγείλει τη σύμβαση εγγράφως με προθεσμία τριών μηνών. Ο μισθωτής καταβάλλει εγγύηση τριών μισθωμάτων.",
                146,
            ),
            (
                "ar",
                "يؤجر المؤجر للمستأجر الشقة الواقعة في الطابق الثاني اعتبارا من 1 أبريل 2026 لمدة غير محددة. تبلغ الأجرة 1250 يورو في الشهر وتدفع في يوم العمل الثالث من كل شهر. يجوز لكل من الطرفين إنهاء العقد كتابة بإشعار مدته ثلاثة أشهر. يدفع المستأجر تأمينا يعادل أجرة ثلاثة أشهر، ويحتفظ به المؤجر منفصلا عن أمواله.",
                108,
            ),
            (
                "hi",
                "मकान मालिक दूसरी मंज़िल का फ़्लैट 1 अप्रैल 2026 से अनिश्चित काल के लिए किरायेदार को किराये पर देता है। किराया 1,250 यूरो प्रति माह है और हर महीने के तीसरे कार्य दिवस को देय है। कोई भी पक्ष तीन महीने की लिखित सूचना देकर अनुबंध समाप्त कर सकता है। किरायेदार तीन महीने के किराये के बराबर जमानत राशि देता है।",
                84,
            ),
            (
                "zh",
                "出租人自2026年4月1日起将二楼的住房出租给承租人，租期不定。租金为每月1250欧元，应于每月第三个工作日支付。任何一方均可提前三个月以书面形式解除合同。承租人须支付相当于三个月租金的押金，出租人应将该押金与其自有资金分开保管，并在合同终止时退还给承租人。",
                98,
            ),
            (
                "ja",
                "賃貸人は、2026年4月1日から期間の定めなく、二階の住居を賃借人に賃貸する。賃料は月額1250ユーロとし、毎月の第三営業日に支払うものとする。いずれの当事者も、三か月前に書面で通知することにより契約を解除することができる。賃借人は、賃料三か月分に相当する敷金を預け入れ、契約の終了時に返還を受ける。",
                100,
            ),
            (
                "ko",
                "임대인은 2026년 4월 1일부터 기간을 정하지 않고 이층의 주택을 임차인에게 임대한다. 차임은 월 1250유로이며 매월 세 번째 영업일에 지급한다. 각 당사자는 세 달 전에 서면으로 통지하여 계약을 해지할 수 있다. 임차인은 석 달치 차임에 해당하는 보증금을 지급하고, 계약이 끝나면 이를 돌려받는다.",
                102,
            ),
            (
                "en",
                "Invoice 2026/3677060942, due 05.11.2026: 9,203.99 EUR\nIBAN [IBAN_1], VAT [VAT_2]\n1 x 4711-0815 @ 120.00 = 120.00",
                85,
            ),
        ] {
            let estimated = estimate(text, language);
            let error = estimated.abs_diff(counted) as f64 / counted as f64;
            assert!(error <= 0.15, "{language}: {estimated} for {counted}, {error:.2} off");
        }
    }

    #[test]
    fn a_form_costs_more_than_prose_of_the_same_length() {
        let prose = "the quick brown fox jumps over it ";
        let form = "Inv 2026/3677060942: 9.203,99 EUR ";
        assert_eq!(prose.len(), form.len());
        assert!(estimate(form, "en") > 2 * estimate(prose, "en"));
    }
}

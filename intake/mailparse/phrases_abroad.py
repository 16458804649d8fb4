"""What mail programs set to another language than Korean or English write around a person's words.

Patterns, to be joined: German, French, Spanish, Portuguese, Italian, Dutch, the Nordic languages,
Polish, Czech, Russian, Ukrainian, Turkish, Japanese, Chinese. Words of one or two letters stand
here only as names of fields before a colon, three of which make a head.
"""

WROTE = (
    "schrieb", "geschrieben", "hat geschrieben", "a écrit", "escribió", "escreveu",
    "ha scritto", "schreef", "het volgende geschreven", "skrev", "skrev følgende", "kirjoitti",
    r"napisała?(?:\(a\))?", r"napsala?(?:\(a\))?", r"napísala?(?:\(a\))?", r"написала?(?:\(а\))?",
    "пишет", "пише", "написав", "şunu yazdı", "yazdı", "写道", "寫道", "kirjutas", "a scris",
    "írta", "έγραψε", "כתב", "כתבה", r"のメール", "書きました",
)  # fmt: skip
DATED = (
    r"am\b", r"le\b", r"el\b", r"em\b", r"il\b", r"op\b", r"den\b", r"dnia\b", r"w dniu\b",
    r"dne\b", r"\d{1,4}[.\-/ ]", r"\w{2,12}\.?,? \d{1,2}\b", r"在",
)  # fmt: skip
ORIGINAL = (
    "ursprüngliche nachricht", "weitergeleitete nachricht", "message d'origine",
    "message transféré", "message original", "mensaje (?:original|reenviado)",
    "mensagem (?:original|encaminhada)", "messaggio (?:originale|inoltrato)",
    "oorspronkelijk bericht", "doorgestuurd bericht", "ursprungligt meddelande",
    "(?:opprinnelig|oprindelig) (?:melding|meddelelse)", "alkuperäinen viesti",
    r"wiadomość (?:oryginalna|przekazana)", "původní zpráva", "исходное сообщение",
    "пересылаемое сообщение", "原始邮件", "原始郵件", "转发邮件信息", "転送メッセージ",
    "元のメッセージ", "original message", "özgün ileti",
)  # fmt: skip
FROM = (
    "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "от", "від", "kimden", "gönderen",
    "差出人", "发件人", "寄件者", "寄件人", "送信者", "expéditeur", "remitente", "mittente",
    "absender", "afzender",
)  # fmt: skip
FIELDS = (
    "gesendet(?: am)?", "datum", "an", "betreff", "envoyé(?: le)?", "à", "objet", "répondre à",
    "inviato(?: il)?", "data", "a", "oggetto", "risposta", "verzonden", "aan", "onderwerp",
    "skickat", "till", "ämne", "sendt", "til", "emne", "dato", "lähetetty", "vastaanottaja", "aihe",
    "wysłano", "wysłane", "do", "temat", "odesláno", "komu", "předmět", "отправлено", "дата",
    "кому", "тема", "копия", "надіслано", "送信日時", "日時", "宛先", "件名", "发送时间", "日期",
    "收件人", "抄送", "主题", "傳送時間", "寄件日期", "收件者", "副本", "主旨",
    "enviado(?: el| em)?", "fecha", "para", "asunto", "assunto", "gönderildi", "tarih", "kime",
    "konu", "antwort an",
)  # fmt: skip
SENT = (
    "envoyé (?:de|depuis)", "enviado (?:desde|do|de|a partir)", "inviato (?:da|dal)",
    "verstuurd vanaf", "verzonden (?:vanaf|met)", "skickat från", "sendt fra", "lähetetty",
    "wysłane? z", "отправлено (?:с|из)", "надіслано з", "odesláno z", "从我的", "发自我的",
    "發自我的", "寄自我的", "diese nachricht wurde von", "von meinem",
)  # fmt: skip
SENT_LAST = (
    "gesendet",
    "から送信",
    "からの送信",
    "发送",
    "傳送",
    "'?(?:d[ae]n|t[ae]n) gönderildi",
    "gönderildi",
)

"""Why a value cannot be taken, in the member's language: the reason keys of BadValue."""

REASONS: dict[str, dict[str, str]] = {
    "empty": {"ko": "값이 비어 있습니다.", "en": "No value was given."},
    "too_short": {"ko": "값이 너무 짧습니다.", "en": "The value is too short."},
    "too_long": {"ko": "값이 너무 깁니다.", "en": "The value is too long."},
    "control_characters": {
        "ko": "화면에 보이지 않는 문자가 들어 있습니다. 다시 입력해 주시기 바랍니다.",
        "en": "The value holds characters that cannot be seen. Please type it again.",
    },
    "name_characters": {
        "ko": "이름에는 글자, 띄어쓰기, 하이픈만 쓸 수 있습니다.",
        "en": "A name can have letters, spaces, apostrophes and hyphens only.",
    },
    "nickname_characters": {
        "ko": "닉네임에는 < > @ / \\ 기호를 쓸 수 없습니다.",
        "en": "A nickname cannot have the signs < > @ / \\.",
    },
    "phone_letters": {
        "ko": "전화번호에 숫자가 아닌 글자가 들어 있습니다.",
        "en": "The phone number has something other than digits in it.",
    },
    "phone_prefix": {
        "ko": "휴대전화번호는 010, 011, 016, 017, 018, 019로 시작해야 합니다.",
        "en": "A Korean mobile number begins with 010, 011, 016, 017, 018 or 019.",
    },
    "phone_length": {
        "ko": "휴대전화번호의 자릿수가 맞지 않습니다. 010으로 시작하는 번호는 11자리입니다.",
        "en": "The number of digits is not right. A number beginning with 010 has 11 digits.",
    },
    "phone_foreign": {
        "ko": "국내 휴대전화번호만 등록할 수 있습니다.",
        "en": "Only a Korean mobile number can be registered.",
    },
    "email_form": {
        "ko": "이메일 주소의 형식이 맞지 않습니다. 예: name@example.com",
        "en": "This is not an email address. It should look like name@example.com.",
    },
    "date_form": {
        "ko": "날짜를 읽을 수 없습니다. 1991-03-02와 같이 적어 주시기 바랍니다.",
        "en": "The date could not be read. Please write it like 1991-03-02.",
    },
    "date_year": {
        "ko": "연도를 네 자리로 적어 주시기 바랍니다. 예: 1991-03-02",
        "en": "Please write the year with four digits, like 1991-03-02.",
    },
    "date_ambiguous": {
        "ko": "월과 일을 구분할 수 없습니다. 1991-03-02와 같이 적어 주시기 바랍니다.",
        "en": "Day and month cannot be told apart. Please write the date like 1991-03-02.",
    },
    "date_impossible": {
        "ko": "달력에 없는 날짜입니다.",
        "en": "There is no such day in the calendar.",
    },
    "date_future": {
        "ko": "생년월일은 오늘보다 뒤일 수 없습니다.",
        "en": "A date of birth cannot lie in the future.",
    },
    "date_too_old": {
        "ko": "1900년 이전의 생년월일은 등록할 수 없습니다.",
        "en": "A date of birth before 1900 cannot be registered.",
    },
    "not_an_option": {
        "ko": "선택할 수 있는 값이 아닙니다.",
        "en": "This is not one of the values to choose from.",
    },
    "address_short": {
        "ko": "주소가 너무 짧습니다. 도로명과 건물 번호까지 적어 주시기 바랍니다.",
        "en": "The address is too short. Please give the street and the number.",
    },
    "instagram_form": {
        "ko": "인스타그램 아이디는 영문, 숫자, 마침표, 밑줄로 30자까지 쓸 수 있습니다.",
        "en": "An Instagram ID has up to 30 letters, digits, points and underscores.",
    },
    "kakao_form": {
        "ko": "카카오톡 아이디는 영문과 숫자로 4자에서 20자까지 쓸 수 있습니다.",
        "en": "A KakaoTalk ID has 4 to 20 letters and digits.",
    },
    "facebook_form": {
        "ko": "페이스북 아이디는 영문, 숫자, 마침표로 5자에서 50자까지 쓸 수 있습니다.",
        "en": "A Facebook ID has 5 to 50 letters, digits and points.",
    },
    "bank_name_form": {
        "ko": "은행 이름을 확인해 주시기 바랍니다.",
        "en": "Please check the name of the bank.",
    },
    "account_letters": {
        "ko": "계좌번호에 숫자가 아닌 글자가 들어 있습니다.",
        "en": "The account number has something other than digits in it.",
    },
    "account_length": {
        "ko": "계좌번호의 자릿수가 맞지 않습니다. 10자리에서 16자리여야 합니다.",
        "en": "The number of digits is not right. An account number has 10 to 16 digits.",
    },
    "resident_number": {
        "ko": "주민등록번호가 들어 있습니다. 주민등록번호는 빼고 다시 적어 주시기 바랍니다.",
        "en": "There is a resident registration number in it. Please leave it out.",
    },
    "not_correctable": {
        "ko": "회원님의 요청으로 바꿀 수 없는 항목입니다.",
        "en": "This item cannot be changed on request.",
    },
    "unknown_field": {
        "ko": "보관하고 있지 않은 항목입니다.",
        "en": "We do not hold this item.",
    },
}


def reason_text(reason: str, language: str) -> str:
    """The sentence for a reason key in `language` (ko or en)."""
    words = REASONS.get(
        reason, {"ko": "이 값은 등록할 수 없습니다.", "en": "This value cannot be registered."}
    )
    return words["ko" if language == "ko" else "en"]

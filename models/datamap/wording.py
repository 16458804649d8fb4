"""Words for people where a dataset has only names: labels of columns, tables and categories."""

import re
from collections.abc import Iterable

_KOREAN = {
    "account": "계좌", "address": "주소", "age": "나이", "alt": "보조", "amount": "금액",
    "bank": "은행", "billing": "청구", "birth": "출생", "birthday": "생년월일", "body": "내용",
    "card": "카드", "ccn": "카드번호", "city": "도시", "closed": "종료일", "code": "코드",
    "comment": "댓글", "company": "회사", "content": "내용", "country": "국가",
    "created": "생성 일시", "customer": "고객", "customers": "고객", "date": "날짜",
    "delivery": "배송", "description": "설명", "device": "기기", "email": "이메일",
    "employee": "직원", "employees": "직원", "expiry": "유효기간", "first": "이름", "gender": "성별",
    "holder": "소유자", "house": "건물번호", "id": "번호", "invoice": "청구서", "ip": "IP 주소",
    "item": "항목", "items": "항목", "job": "직업", "language": "언어", "last": "마지막",
    "login": "로그인", "member": "회원", "members": "회원", "memo": "메모", "message": "메시지",
    "mobile": "휴대전화번호", "month": "월", "name": "이름", "nickname": "닉네임", "note": "메모",
    "notes": "메모", "number": "번호", "opened": "시작일", "order": "주문", "orders": "주문",
    "password": "비밀번호", "payment": "결제", "phone": "전화번호", "points": "포인트",
    "postal": "우편", "preferred": "기본", "price": "가격", "product": "상품", "quantity": "수량",
    "rating": "평점", "reference": "참조", "report": "보고서", "request": "요청", "review": "후기",
    "service": "서비스", "shipping": "배송", "state": "주/도", "status": "상태", "street": "도로명",
    "subscription": "구독", "time": "일시", "title": "제목", "total": "합계", "type": "종류",
    "updated": "수정 일시", "user": "이용자", "users": "이용자", "username": "아이디",
    "visit": "방문", "visits": "방문", "year": "연도", "zip": "우편번호",
}  # fmt: skip

# The categories of Fides's taxonomy (fideslang), in our own words; the longest prefix counts.
_CATEGORIES = {
    "user": ("이용자 정보", "Information about you"),
    "user.account": ("계정 정보", "Account"),
    "user.authorization": ("인증 정보", "Sign-in"),
    "user.behavior": ("이용 기록", "Use of the service"),
    "user.biometric": ("생체 정보", "Biometric data"),
    "user.childrens": ("아동 정보", "Data about children"),
    "user.contact": ("연락처", "Contact details"),
    "user.content": ("이용자가 올린 내용", "Content"),
    "user.demographic": ("인적 사항", "Demographic data"),
    "user.device": ("기기 정보", "Devices"),
    "user.financial": ("금융 정보", "Financial data"),
    "user.government_id": ("신분 증명 번호", "Identification numbers"),
    "user.health_and_medical": ("건강 정보", "Health"),
    "user.job_title": ("직장 정보", "Work"),
    "user.location": ("위치 정보", "Location"),
    "user.name": ("이름", "Name"),
    "user.payment": ("결제 정보", "Payment"),
    "user.privacy_preferences": ("개인정보 설정", "Privacy choices"),
    "user.sensor": ("측정 기록", "Measurements"),
    "user.social": ("사회 관계", "Social data"),
    "user.unique_id": ("식별 번호", "Identifiers"),
    "user.workplace": ("직장 정보", "Work"),
    "system": ("운영 기록", "Records of operation"),
}
UNNAMED = {"ko": "회사 이름", "en": "Company"}  # what a drafted map says until somebody names it
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")


def labels(name: str) -> dict[str, str]:
    """Both labels for a column or table of this name: `shipping_address` is 배송 주소, Shipping
    address. Without Korean words for every part the Korean label is the name as it stands."""
    parts = _PART.findall(name) or [name]
    english = " ".join(part if part.isupper() else part.lower() for part in parts)
    english = {"id": "number"}.get(english, re.sub(r" id$", " number", english))
    korean = [_KOREAN.get(part.lower(), "") for part in parts]
    return {
        "ko": " ".join(korean) if all(korean) else english[:1].upper() + english[1:],
        "en": english[:1].upper() + english[1:],
    }


def category(path: str) -> tuple[str, dict[str, str]]:
    """The category, and its labels, of a data category of Fides (`user.contact.address.city`)."""
    parts = path.split(".")
    while parts:
        known = ".".join(parts)
        if known in _CATEGORIES:
            korean, english = _CATEGORIES[known]
            return known, {"ko": korean, "en": english}
        parts.pop()
    top = ".".join(path.split(".")[:2]) or "other"
    return top, labels(top.replace(".", "_"))


def main_category(paths: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The category that most of `paths` have; what is about a person counts before the rest."""
    found: dict[str, int] = {}
    named = dict[str, dict[str, str]]()
    for path in paths:
        name, said = category(path)
        weight = 1 if name == "system" else 1000 if name != "user.unique_id" else 2
        found[name] = found.get(name, 0) + weight
        named[name] = said
    if not found:
        return category("system")
    best = max(found, key=lambda name: found[name])
    return best, named[best]

"""The sign-in e-mail as the seed shows it."""

from __future__ import annotations

SUBJECT = "🔐 Таны бүртгэлд нэвтэрсэн байна - Yellow Books"
TEXT = """\
Сайн байна уу Test User,

Таны Yellow Books бүртгэлд амжилттай нэвтэрсэн байна.

Нэвтрэлтийн мэдээлэл:
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
📧 Имэйл: test@example.com
🌐 Provider: github
📍 IP Address: 192.168.1.1
💻 Browser: Mozilla/5.0
⏰ Огноо: 2025 оны 12-р сарын 19, 15:00:00
━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━

Хэрэв та энэ нэвтрэлтийг хийгээгүй бол нэн даруй бидэнтэй холбогдоно уу.

Баярлалаа,
Yellow Books баг"""

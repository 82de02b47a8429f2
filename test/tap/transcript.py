#!/usr/bin/env python3
"""Writes a made-up transcript of a coding assistant, with secrets planted.

usage: transcript.py FOLDER

lines.jsonl    one record a line, in the structure that Claude Code writes:
               prompts, tool calls, tool output as text, as blocks, as JSON in a
               string, and as the fields of toolUseResult; usage with counts
clean.jsonl    the same without anything planted, but with what looks like it
planted.json   the values that must be gone, each with the line it stands in

Nothing here is anybody's: values are drawn with a fixed seed.
"""
import json, random, string, sys

rng = random.Random(20260701)
HEX, ALNUM = "0123456789abcdef", string.ascii_letters + string.digits
B64 = ALNUM + "+/"


def draw(n, alphabet=ALNUM):
    return "".join(rng.choice(alphabet) for _ in range(n))


def uuid():
    return "-".join(draw(n, HEX) for n in (8, 4, 4, 4, 12))


def address():
    return f"{draw(6, string.ascii_lowercase)}.{draw(5, string.ascii_lowercase)}@{draw(7, string.ascii_lowercase)}.example"


def ipv4():
    return f"{rng.randint(11, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"


def card():
    digits = [4] + [rng.randint(0, 9) for _ in range(14)]
    total = sum(sum(divmod(d * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)


def key():
    """A token that says what it is, its prefix in pieces for scanners of source code."""
    return rng.choice([
        lambda: "AK" "IA" + draw(16, string.ascii_uppercase + "234567"),
        lambda: "gh" "p_" + draw(36), lambda: "gl" "pat-" + draw(20), lambda: "sk-" "ant-api03-" + draw(93) + "AA",
        lambda: "sk-" "proj-" + draw(48), lambda: "sk-" "or-v1-" + draw(64, HEX), lambda: "xo" "xb-" + draw(12, string.digits) + "-" + draw(24),
        lambda: "sk_" "live_" + draw(24), lambda: "wh" "sec_" + draw(32), lambda: "sb" "p_" + draw(40, HEX),
        lambda: "AI" "za" + draw(35), lambda: "np" "m_" + draw(36), lambda: "SG" "." + draw(22) + "." + draw(43),
        lambda: draw(10, "123456789") + ":AA" + draw(33), lambda: "dop" "_v1_" + draw(64, HEX), lambda: "hf" "_" + draw(34),
    ])()


def word():
    return draw(5, string.ascii_lowercase) + draw(3, string.digits) + rng.choice("!#%_")+ draw(3)


# How tools print them.  Each returns the text and the values in it.
def env_dump():
    a, b, c = word(), key(), draw(40, B64)
    return f"NODE_ENV=production\nDB_PASSWORD={a}\nAPI_TOKEN={b}\nAWS_SECRET_ACCESS_KEY={c}\nPORT=8080\n", [a, b, c]


def numbered_file():
    a, b = word(), draw(32)
    return f"     1\timport os\n     2\tPASSWORD = \"{a}\"\n    12\tclient_secret = '{b}'\n", [a, b]


def grep_output():
    a = key()
    return f"src/config.py:12:token = \"{a}\"\nsrc/config.py:40:max_tokens = 4096\n", [a]


def diff():
    a, b = word(), key()
    return f"@@ -1,3 +1,3 @@\n-password: {a}\n+api_key: {b}\n timeout: 30\n", [a, b]


def remote():
    a = key()
    return f"origin\thttps://deploy:{a}@git.example/acme/app.git (fetch)\n", [a]


def connection():
    a, b = word().replace("#", "x").replace("%", "y"), word().replace("#", "x").replace("%", "y")
    return f"connecting to postgres://app:{a}@db.internal:5432/app\nredis://:{b}@cache:6379/0 ok\n", [a, b]


def curl():
    a, b = draw(40), ipv4()
    return f"*   Trying {b}:443...\n> GET /v1/me HTTP/2\n> authorization: Bearer {a}\n< HTTP/2 200\n", [a, b]


def pem():
    a = draw(64, B64)
    return "-----BEGIN PRIVATE " f"KEY-----\n{a}\n{draw(40, B64)}==\n-----END PRIVATE KEY-----\n", [a]


def manifest():
    a = draw(16)
    return f"apiVersion: v1\nkind: Secret\ndata:\n  password: {a}\n", [a]


def people():
    a, b, c, d = address(), "+1-415-555-" + draw(4, string.digits), card(), ipv4()
    return f"id | mail | phone | card\n 1 | {a} | {b} | {c}\nlast login from {d}\n", [a, b, c, d]


def log():
    a, b, c = address(), ipv4(), draw(24)
    return f"2026-07-01 10:20:30,123 WARN auth user={a} ip={b} session_token={c} attempt=3\n", [a, b, c]


def azure():
    a = draw(86, B64) + "=="
    return f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={a};EndpointSuffix=core.windows.net\n", [a]


def service_account():
    a, b = draw(64, B64), draw(8, string.ascii_lowercase) + "@acme.iam.gserviceaccount.com"
    return json.dumps({"type": "service_account", "private_key": "-----BEGIN PRIVATE " f"KEY-----\n{a}\n-----END PRIVATE KEY-----\n",
                       "client_email": b}, indent=2), [a, b]


def response():
    a, b = draw(40), address()
    return json.dumps({"access_token": a, "expires_in": 3600, "user": {"email": b, "id": 17}}), [a, b]


SOURCES = [env_dump, numbered_file, grep_output, diff, remote, connection, curl, pem, manifest, people, log, azure, service_account, response]


def harmless():
    return rng.choice([
        lambda: f"{draw(40, HEX)} Fix the build\n 3 files changed, 12 insertions(+), 4 deletions(-)\n",
        lambda: f"Session {uuid()} took 1234 ms, max_tokens: 8192, input_tokens: {rng.randint(1, 10**6)}\n",
        lambda: f"sha256:{draw(64, HEX)} blk_{rng.randint(10**17, 10**18)} v1.2.3-rc.1\n",
        lambda: "password=${DB_PASSWORD} token=<your-token> api_key: xxxxxxxxxxxx secret=[SECRET]\n",
        lambda: "12 passed, 1 skipped in 3.21s\nE   AssertionError: assert 4111111111111112 == 0\n",
        lambda: f"integrity sha512-{draw(86, B64)}==\n",
        lambda: "def authenticate(user, password):\n    token = get_token(user)\n    return token.value\n",
    ])()


def usage():
    return {"input_tokens": rng.randint(1, 9), "cache_creation_input_tokens": rng.randint(1, 30000), "cache_read_input_tokens": rng.randint(1, 10**6),
            "output_tokens": rng.randint(1, 5000), "service_tier": "standard",
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": rng.randint(1, 9999)},
            "server_tool_use": {"web_search_requests": 0}}


SESSION = uuid()


def record(kind, message, **more):
    return {"parentUuid": uuid(), "isSidechain": False, "userType": "external", "cwd": "/srv/app", "sessionId": SESSION, "version": "2.1.202",
            "gitBranch": "main", "type": kind, "message": message, "uuid": uuid(),
            "timestamp": f"2026-07-01T10:{rng.randint(10, 59)}:{rng.randint(10, 59)}.{rng.randint(100, 999)}Z", **more}


def assistant(block):
    return record("assistant", {"model": "claude-opus-5", "id": "msg_01" + draw(22), "type": "message", "role": "assistant", "content": [block],
                                "stop_reason": "tool_use", "stop_sequence": None, "usage": usage()}, requestId="req_011C" + draw(20))


def result(content, tool):
    return record("user", {"role": "user", "content": [{"tool_use_id": "toolu_01" + draw(22), "type": "tool_result", "content": content, "is_error": False}]},
                  toolUseResult=tool)


def shapes(text):
    """The ways in which a text reaches a transcript."""
    return rng.choice([
        lambda: result(text, {"stdout": text, "stderr": "", "interrupted": False, "isImage": False}),
        lambda: result([{"type": "text", "text": text}], {"type": "text", "file": {"filePath": "/srv/app/x", "content": text, "numLines": 3, "totalLines": 3}}),
        lambda: result(json.dumps({"output": text, "exit_code": 0}), json.dumps({"result": [text], "total_tokens": 12345})),
        lambda: assistant({"type": "tool_use", "id": "toolu_01" + draw(22), "name": "Write", "input": {"file_path": "/srv/app/x", "content": text}}),
        lambda: assistant({"type": "tool_use", "id": "toolu_01" + draw(22), "name": "Bash", "input": {"command": "cat <<'EOF'\n" + text + "EOF", "timeout": 120000}}),
        lambda: record("user", {"role": "user", "content": "Why does this fail?\n\n```\n" + text + "```\n"}),
        lambda: assistant({"type": "text", "text": "The file holds:\n\n    " + text.replace("\n", "\n    ")}),
    ])()


def main(folder):
    planted, lines, clean = [], [], []
    for n in range(420):
        text, values = SOURCES[n % len(SOURCES)]()
        lines.append(shapes(harmless() + text + harmless()))
        planted += [{"line": n, "value": v, "source": SOURCES[n % len(SOURCES)].__name__} for v in values]
    for _ in range(180):
        clean.append(shapes(harmless() + harmless()))
    for name, rows in (("lines", lines), ("clean", clean)):
        with open(f"{folder}/{name}.jsonl", "w", encoding="utf8") as out:
            out.writelines(json.dumps(row) + "\n" for row in rows)
    with open(f"{folder}/planted.json", "w", encoding="utf8") as out:
        json.dump(planted, out)


main(sys.argv[1])

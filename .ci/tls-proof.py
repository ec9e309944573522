"""Judges what sslyze, sslscan and openssl said, for .ci/tls-proof: every check in one line, and exit code 1
when one of them fails. Arguments: the folder with their reports, and `trusted` when the
certificate's authority was given to sslyze."""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml
from datetime import datetime, timedelta

place = pathlib.Path(sys.argv[1])
trusted = len(sys.argv) > 2 and sys.argv[2] == "trusted"
findings = []


def check(what, is_so, seen=""):
    print(f"{'ok     ' if is_so else 'FINDING'}  {what}{f': {seen}' if seen else ''}")
    if not is_so:
        findings.append(what)


# sslyze
report = json.loads((place / "sslyze.json").read_text())
scans = report["server_scan_results"][0]["scan_result"]
text = (place / "sslyze.txt").read_text()

done = {name: it["result"] for name, it in scans.items() if it["status"] == "COMPLETED"}
undone = {name: it["status"] for name, it in scans.items() if it["status"] != "COMPLETED"}
# Both speak HTTP, and the profile does not ask for them; openssl looks at the two below.
for name in ["http_headers", "tls_1_3_early_data", "session_resumption"]:
    if undone.get(name) == "NOT_SCHEDULED":
        del undone[name]
check("sslyze: every scan was completed", not undone, ", ".join(undone) or f"{len(done)} scans")

for name in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"]:
    accepted = done[f"{name}_cipher_suites"]["accepted_cipher_suites"]
    check(f"sslyze: {name} is refused", not accepted)
for name in ["tls_1_2", "tls_1_3"]:
    accepted = done[f"{name}_cipher_suites"]["accepted_cipher_suites"]
    names = [it["cipher_suite"]["name"] for it in accepted]
    sealed = all(re.search("GCM|POLY1305", it) for it in names)
    forward = name == "tls_1_3" or all(it.startswith("TLS_ECDHE_") for it in names)
    check(f"sslyze: {name} with forward secrecy and authenticated ciphers only",
          bool(names) and sealed and forward, ", ".join(names))

for name, field, wanted in [
    ("tls_compression", "supports_compression", False),
    ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", False),
    ("tls_fallback_scsv", "supports_fallback_scsv", True),
    ("heartbleed", "is_vulnerable_to_heartbleed", False),
    ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", False),
    ("session_renegotiation", "supports_secure_renegotiation", True),
    ("tls_extended_master_secret", "supports_ems_extension", True),
]:
    seen = done.get(name, {}).get(field)
    check(f"sslyze: {name}.{field} is {wanted}", seen is wanted)
robot = done["robot"]["robot_result"]
check("sslyze: not vulnerable to ROBOT", robot.startswith("NOT_VULNERABLE"), robot)

for deployment in done["certificate_info"]["certificate_deployments"]:
    leaf = deployment["received_certificate_chain"][0]
    life = [datetime.fromisoformat(leaf[it]) for it in ("not_valid_before", "not_valid_after")]
    check("sslyze: the certificate is good for at most 365 days",
          life[1] - life[0] <= timedelta(days=365), f"{life[0]} to {life[1]}")
    key = leaf["public_key"]
    check("sslyze: the key is on P-256", key["ec_curve_name"] == "secp256r1")
    check("sslyze: signed with SHA-256", leaf["signature_hash_algorithm"]["name"] == "sha256")
    names = leaf["subject_alternative_name"]["ip_addresses"]
    check("sslyze: the certificate names the address", "127.0.0.1" in names, ", ".join(names))
    check("sslyze: the chain is in order", deployment["received_chain_has_valid_order"] is True)

complaints = re.findall(r"^ +\* (\w+): (.*)$", text.split("COMPLIANCE AGAINST")[1], re.M)
is_compliant = re.search(r"^ +\S+: OK - Compliant", text, re.M) is not None
if trusted:
    check('sslyze: meets Mozilla\'s "intermediate" profile', is_compliant and not complaints,
          str(complaints or ""))
else:
    # Nobody vouches for it; clients know the key.
    others = [it for it in complaints if it[0] != "certificate_path_validation"]
    check('sslyze: meets Mozilla\'s "intermediate" profile, self-signed aside',
          is_compliant or (bool(complaints) and not others), str(others or ""))

# sslscan
test = xml.parse(place / "sslscan.xml").getroot().find("ssltest")
enabled = {it.get("type") + it.get("version") for it in test.findall("protocol")
           if it.get("enabled") == "1"}
check("sslscan: TLS 1.2 and 1.3 and nothing else", enabled == {"tls1.2", "tls1.3"},
      ", ".join(sorted(enabled)))
ciphers = test.findall("cipher")
weak = [it.get("cipher") for it in ciphers
        if it.get("strength") not in ("strong", "acceptable") or int(it.get("bits")) < 128]
check("sslscan: no weak cipher", bool(ciphers) and not weak, ", ".join(weak) or f"{len(ciphers)}")
groups = [it.get("name") for it in test.findall("group")]
weak = [it.get("name") for it in test.findall("group") if int(it.get("bits")) < 128]
check("sslscan: no weak group", bool(groups) and not weak, ", ".join(groups))
beats = [it.get("vulnerable") for it in test.findall("heartbleed")]
check("sslscan: not vulnerable to Heartbleed", bool(beats) and set(beats) == {"0"})
again = test.find("renegotiation")
check("sslscan: no insecure renegotiation",
      again is None or again.get("supported") == "0" or again.get("secure") == "1")
compression = test.find("compression")
check("sslscan: no compression", compression is None or compression.get("supported") == "0")
for certificate in test.iter("certificate"):
    expired = [it.text for it in certificate.iter("expired")]
    check("sslscan: the certificate has not expired", "true" not in expired)

# openssl
for version in ["tls1_2", "tls1_3"]:
    first, again = ((place / f"{version}-sess_{it}.txt").read_text() for it in ("out", "in"))
    check(f"openssl: {version} comes back with its ticket",
          "\nNew, " in first and "\nReused, " in again)
early = re.findall(r"Max Early Data: (\d+)", (place / "tls1_3-sess_out.txt").read_text())
check("openssl: no early data, which could be played again", set(early) == {"0"})

print(f"{len(findings)} findings")
sys.exit(1 if findings else 0)

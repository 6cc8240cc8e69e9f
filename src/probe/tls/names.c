/* names: what the numbers of TLS are called. */
#include "base/macro.h"
#include "probe/tls/handshake.h"

const char *tls_version_text(uint16_t version)
{
	static const char *const texts[] = { "3.0", "1.0", "1.1", "1.2", "1.3" }; /* SSL 3.0 was the first of this numbering */
	return version >= 0x0300 && version - 0x0300 < (int)ARRAY_SIZE(texts) ? texts[version - 0x0300] : NULL;
}

/* IANA, "TLS Cipher Suites"; those that browsers and libraries of this decade agree on. */
const char *tls_cipher_text(uint16_t cipher)
{
	static const struct {
		uint16_t number;
		const char *name;
	} names[] = {
		{ 0x1301, "TLS_AES_128_GCM_SHA256" },
		{ 0x1302, "TLS_AES_256_GCM_SHA384" },
		{ 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
		{ 0x1304, "TLS_AES_128_CCM_SHA256" },
		{ 0x1305, "TLS_AES_128_CCM_8_SHA256" },
		{ 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
		{ 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
		{ 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
		{ 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
		{ 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
		{ 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
		{ 0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
		{ 0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA" },
		{ 0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA" },
		{ 0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" },
		{ 0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" },
		{ 0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" },
		{ 0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" },
		{ 0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
		{ 0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
		{ 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA" },
		{ 0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA" },
		{ 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA" },
		{ 0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA" },
		{ 0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256" },
		{ 0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256" },
		{ 0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256" },
		{ 0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256" },
		{ 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256" },
		{ 0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384" },
		{ 0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" },
		{ 0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == cipher)
			return names[i].name;
	return NULL;
}

/* RFC 8446, 6, and of earlier versions RFC 5246, 7.2 */
const char *tls_alert_text(uint8_t alert)
{
	static const char *const names[] = {
		[0] = "close_notify", [10] = "unexpected_message", [20] = "bad_record_mac", [21] = "decryption_failed", [22] = "record_overflow",
		[30] = "decompression_failure", [40] = "handshake_failure", [41] = "no_certificate", [42] = "bad_certificate",
		[43] = "unsupported_certificate", [44] = "certificate_revoked", [45] = "certificate_expired", [46] = "certificate_unknown",
		[47] = "illegal_parameter", [48] = "unknown_ca", [49] = "access_denied", [50] = "decode_error", [51] = "decrypt_error",
		[60] = "export_restriction", [70] = "protocol_version", [71] = "insufficient_security", [80] = "internal_error",
		[86] = "inappropriate_fallback", [90] = "user_canceled", [100] = "no_renegotiation", [109] = "missing_extension",
		[110] = "unsupported_extension", [111] = "certificate_unobtainable", [112] = "unrecognized_name",
		[113] = "bad_certificate_status_response", [114] = "bad_certificate_hash_value", [115] = "unknown_psk_identity",
		[116] = "certificate_required", [120] = "no_application_protocol",
	};
	return alert < ARRAY_SIZE(names) ? names[alert] : NULL;
}

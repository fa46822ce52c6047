import type { KeyPair } from '../core/ports.ts'

const PRIVATE_KEY =
  'MIIEowIBAAKCAQEA6+zco6s0OHWR2TE9GF1y8ll2j69ICJtFAP8DLofdFxWYRAP4Q6m7e4Rz7ve+K3WiSaB63yHh9VpQSRFJ' +
  'MEMSPZgAm92cNF46agqjE2WVTrZKcKhIXxD0mCHDqx5d1zkC1gJ2GILhJPV7CAdo+UCHE2ICaukRSgp+Pod+ZxyK3TlKtATj' +
  'oBVk4d4h3y6CL5xl4KCoWBKUC+pfve9rHjBsXEvAG+Jo0mumg9QcklJmSHi9LdKd2ntjeX1mr077BC+d7kWYVcOs9030xb08' +
  'LDnAAu8YukYyjrjsSH365wcgIZ7S6Eu6eBawpTrtHgs5yWOKU0DVjNakW5FOsVP167LKcwIDAQABAoIBAHWLh2jCWZvRtA+X' +
  'ET4M/ULTIRe4uLaVCd3TsLWjupuQRlOI+M5ZiFAjr5F9/NFxZCCz5NQ8cPTKARtOkf0KRdHLZG5EDVooIomH8DUvVSMo/tC/' +
  'f4NiEsOjevZMhGvBe3C+PDG9L8i2yAw5iOs647HcEKFMqzENJlYoMunT1joeptHgGtkBMti8qx9F/1B18BdJMsgnrj5St55f' +
  'bleDooLVBpB24BJxcSpuijV2GWJ+6Oh6j6u6XfzM3JuuZ5UTdrPy/EuUHYbcqOulTLrJ8RRRy3ej+CzweitM0p/uypbjWllc' +
  'jWGLZxGTJAyjbzbjTf11C15U+ZKkuZAsA50IgC0CgYEA/yVErgCuQcvWVS+XMZhxbQQYSPCtbWEicC7wqKgLwJ/p4gFo4p7s' +
  'WTTkCM0sANYZ++k4iTRJ5lyitdtx7aUYOjJEcIHjBdKAdz1nss89e+iRUZTq8VRG7amaOs3NygKeERmEJoNcqF5VC7DafWxl' +
  '6NRMY9Uc66j8h7dxaByUFWUCgYEA7LcdyJzRto05UqeX2+f2X0uD8ERnpyCwaHHlZybcLUVVXwjVulPlglEFi9yC3DBTkl6B' +
  'hC9CF6n6VZBtLOSSvnwRFbZnPF+BFgZSyCBxSvcJJjVDvF+/WTQSYVMx0EnhkC+THiI3g0buffLeZFruvEyd9AWNQsTuvb3C' +
  'JP5yLvcCgYBqcVTWtsf8ARr4zPLpqOxhC51KCMaBZE2muZ6C7iCBCvXa6LWmHaECklMz7MyXyLpsYt7INr1B0pG7BsLf3sld' +
  'tgzhVv6sNiaMGF0DtvuyjtLZUyQ06/DvQ5tpPuTEixUAk0GTg6gLQdd/Ghf8zVUyrib0WztGgWhhAkHYqluJFQKBgD0U11Of' +
  '26F+eY8xfccZ6QIYC1ihXhnLHpok4awnY+Muo+Pc9MGayntBCuxXH1FQCxCW4FbKlwRiMR2JIhLWfGM4wnPW2HbEshuL0Cqh' +
  '7HoKmsrILc1a65ZKEIAappz3o4PAMvcwnyB52iqX0/kTWc0u/Acus4/KH0zIvWMsYSxrAoGBAPTG5eJ44BorDWXdQkaTMUsQ' +
  '4uWYiGD/7e82yfr/uUUvFxR58bMaADkZOL2o+QnGmJU0pF+eHmm3OJiwEWG5N5vq3FEBdrQGVL2dyhqyfLj7W9vNG6SbEgEk' +
  'KtZkcvDm907RDnbmiFyJdl/P/W6fqKe2fZITsZBJwCTTYIsb9AV1'

const PUBLIC_KEY =
  'MIIBCgKCAQEA6+zco6s0OHWR2TE9GF1y8ll2j69ICJtFAP8DLofdFxWYRAP4Q6m7e4Rz7ve+K3WiSaB63yHh9VpQSRFJMEMS' +
  'PZgAm92cNF46agqjE2WVTrZKcKhIXxD0mCHDqx5d1zkC1gJ2GILhJPV7CAdo+UCHE2ICaukRSgp+Pod+ZxyK3TlKtATjoBVk' +
  '4d4h3y6CL5xl4KCoWBKUC+pfve9rHjBsXEvAG+Jo0mumg9QcklJmSHi9LdKd2ntjeX1mr077BC+d7kWYVcOs9030xb08LDnA' +
  'Au8YukYyjrjsSH365wcgIZ7S6Eu6eBawpTrtHgs5yWOKU0DVjNakW5FOsVP167LKcwIDAQAB'

/**
 * The one key pair of all test certificates, so that ids are the same in every run and nobody waits for keys to
 * be made. It is published here: never trust a certificate of it anywhere else.
 */
export const TEST_KEY_PAIR: KeyPair = { privateKeyPem: PRIVATE_KEY, publicKey: PUBLIC_KEY }

/* A certificate for 127.0.0.1 that vouches for itself, until 2126, made for these tests only. */
#ifndef SL_TESTS_CONFORMANCE_CERTIFICATE_H
#define SL_TESTS_CONFORMANCE_CERTIFICATE_H

static const char CERTIFICATE_PEM[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBmDCCAT6gAwIBAgIUIFCB4rbw+jAmPhiuOcZPTtn7Rz0wCgYIKoZIzj0EAwIw\n"
    "GDEWMBQGA1UEAwwNc2lkZWxpbmUgdGVzdDAgFw0yNjExMjMwNzE2MjZaGA8yMTI2\n"
    "MTAzMDA3MTYyNlowGDEWMBQGA1UEAwwNc2lkZWxpbmUgdGVzdDBZMBMGByqGSM49\n"
    "AgEGCCqGSM49AwEHA0IABOeWmTplUjRsysswuakYu3xQGHNY0+CccdUCK7KWvfgG\n"
    "GPNA2ImisTX/R7dpiRdFtptxskFRTOmOlqrU50soVqCjZDBiMB0GA1UdDgQWBBQx\n"
    "cY17Q4F89oKX1x/ztfEFTFkKsDAfBgNVHSMEGDAWgBQxcY17Q4F89oKX1x/ztfEF\n"
    "TFkKsDAPBgNVHREECDAGhwR/AAABMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0E\n"
    "AwIDSAAwRQIhAMH/g7FTEWhbGj6uRE2e31l3ycO7DPNRj+i2iBa4yL0+AiBX3SWI\n"
    "KlBjRx1T4DBaicf2mgpiAGAGtME3KLvvUQHYiw==\n"
    "-----END CERTIFICATE-----\n";

static const char CERTIFICATE_KEY_PEM[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHmpbjrGHmlkpHzYd\n"
    "mY4dhfHqki9M4sbEIDM6+nAHItShRANCAATnlpk6ZVI0bMrLMLmpGLt8UBhzWNPg\n"
    "nHHVAiuylr34BhjzQNiJorE1/0e3aYkXRbabcbJBUUzpjpaq1OdLKFag\n"
    "-----END PRIVATE KEY-----\n";

#endif

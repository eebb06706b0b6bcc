/* A certificate for localhost that vouches for itself, until 2126, made for these tests only. */
#ifndef SL_TESTS_CONFORMANCE_CERTIFICATE_H
#define SL_TESTS_CONFORMANCE_CERTIFICATE_H

static const char CERTIFICATE_PEM[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBljCCATugAwIBAgIUeCIWR6EeiwplR6sjumf469mGZmowCgYIKoZIzj0EAwIw\n"
    "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzA3MDYwNloYDzIxMjYxMDMw\n"
    "MDcwNjA2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
    "PQMBBwNCAAQJaArOvvyaXAxp9qcas7gK+xKOuyhuIHnXlRF8on0RuuHwyyjSUyHr\n"
    "Ql3CtTiHSjfAVUVuRbSOA4yvKV4N8E3Go2kwZzAdBgNVHQ4EFgQUYQMJHd0+NGrY\n"
    "sBctNbeZxyI7xaMwHwYDVR0jBBgwFoAUYQMJHd0+NGrYsBctNbeZxyI7xaMwFAYD\n"
    "VR0RBA0wC4IJbG9jYWxob3N0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID\n"
    "SQAwRgIhAO+EuqwARpeQFk5ntrhBvkwy8181cxFBHPLyoZGENl65AiEA2HtMWHZ/\n"
    "4CWOfqysuSnxXFNYD/Q7l/B89JgAeNGyGVg=\n"
    "-----END CERTIFICATE-----\n";

static const char CERTIFICATE_KEY_PEM[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJYACpIoVMybTFKDo\n"
    "HCLykGbRiXE47a6SXOwUGkHYr7ehRANCAAQJaArOvvyaXAxp9qcas7gK+xKOuyhu\n"
    "IHnXlRF8on0RuuHwyyjSUyHrQl3CtTiHSjfAVUVuRbSOA4yvKV4N8E3G\n"
    "-----END PRIVATE KEY-----\n";

#endif

// SPDX-License-Identifier: Apache-2.0
//
// libphonenumber behind a C door (phone.h). Its one instance is made once, by whoever comes first; its cache
// of patterns has a lock of its own. It throws only when memory is out.

#include "base/phone.h"

#include <phonenumbers/phonenumberutil.h>
#include <string.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static int normal(const std::string &text, const char *country, char *out) {
    const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    std::string e164;
    if (util->Parse(text, *country ? country : "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return 0;
    if (number.has_extension() || !util->IsValidNumber(number)) return 0;
    util->Format(number, PhoneNumberUtil::E164, &e164);
    if (e164.size() >= AT_PHONE_SIZE) return 0;
    memcpy(out, e164.c_str(), e164.size() + 1);
    return static_cast<int>(e164.size());
}

extern "C" int at_phone_normal(const char *text, size_t length, const char *country,
                               char out[AT_PHONE_SIZE]) {
    try {
        return normal(std::string(text, length), country, out);
    } catch (...) {
        return -1;
    }
}

extern "C" bool at_phone_warm(const char *country) {
    char out[AT_PHONE_SIZE];
    try {
        const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
        PhoneNumber example;
        std::string text;
        if (!*country || !util->GetExampleNumber(country, &example)) return true;
        util->Format(example, PhoneNumberUtil::NATIONAL, &text);
        return normal(text, country, out) >= 0;
    } catch (...) {
        return false;
    }
}

package io.peft4j.data.clean;

import java.util.HashMap;
import java.util.Map;

/** Check digits of account, card and identity numbers. */
final class CheckDigits {
    private static final Map<String, Integer> IBAN_LENGTHS = ibanLengths();
    private static final String DNI = "TRWAGMYFPDXBNJZSQVHLCKE";

    private CheckDigits() {
    }

    private static Map<String, Integer> ibanLengths() {
        String table = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 "
                + "EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 "
                + "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 "
                + "PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";
        Map<String, Integer> lengths = new HashMap<>();
        for (String entry : table.split(" ")) {
            lengths.put(entry.substring(0, 2), Integer.parseInt(entry.substring(2)));
        }
        return Map.copyOf(lengths);
    }

    /** The length of a country's account numbers, 0 where there is no such country. */
    static int ibanLength(String country) {
        return IBAN_LENGTHS.getOrDefault(country, 0);
    }

    /** ISO 13616: the number with its first four characters at the end, letters as 10 to 35, is 1 modulo 97. */
    static boolean isIban(String compact) {
        int rest = 0;
        for (int i = 0; i < compact.length(); i++) {
            int value = Character.digit(compact.charAt((i + 4) % compact.length()), 36);
            rest = value < 0 ? -1 : (value < 10 ? rest * 10 + value : rest * 100 + value) % 97;
            if (rest < 0) {
                return false;
            }
        }
        return rest == 1;
    }

    /** Luhn's formula, and a length that a card with this beginning has. */
    static boolean isCard(String digits) {
        int n = digits.length();
        int two = Integer.parseInt(digits.substring(0, 2));
        boolean known = switch (digits.charAt(0)) {
            case '4' -> n == 13 || n == 16 || n == 19;
            case '5' -> n == 16 && two >= 51 && two <= 55;
            case '6' -> n >= 16 && n <= 19;
            case '2' -> n == 16 && two >= 22 && two <= 27;
            case '3' -> (two == 34 || two == 37) && n == 15 || two == 35 && n == 16
                    || (two == 30 || two == 36 || two == 38 || two == 39) && n == 14;
            default -> false;
        };
        if (!known || digits.chars().distinct().count() < 2) {
            return false;
        }
        int sum = 0;
        for (int i = 0; i < n; i++) {
            int digit = digits.charAt(n - 1 - i) - '0';
            int doubled = i % 2 == 1 ? 2 * digit : digit;
            sum += doubled > 9 ? doubled - 9 : doubled;
        }
        return sum % 10 == 0;
    }

    /** Germany's tax identification number: eleven digits, the last by ISO 7064 modulo 11, 10. */
    static boolean isSteuerId(String digits) {
        if (digits.length() != 11 || digits.charAt(0) == '0') {
            return false;
        }
        int product = 10;
        for (int i = 0; i < 10; i++) {
            int sum = (digits.charAt(i) - '0' + product) % 10;
            product = (sum == 0 ? 10 : sum) * 2 % 11;
        }
        return (11 - product) % 10 == digits.charAt(10) - '0';
    }

    /** Spain's identity number: eight digits and their remainder by 23 as a letter. */
    static boolean isDni(String text) {
        return text.length() == 9 && DNI.charAt(Integer.parseInt(text.substring(0, 8)) % 23) == text.charAt(8);
    }
}

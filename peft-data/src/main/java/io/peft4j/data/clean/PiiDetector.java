package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds personal data by its form and, where it has them, its check digits: an account number must be right modulo 97,
 * a card number by Luhn's formula. What has the form alone (an order number, a date, a version) is left alone. Names
 * and addresses of people are found by a model ({@link #with}). Immutable.
 */
@Internal(shared = true)
public final class PiiDetector {
    private static final Pattern EMAIL = Pattern.compile(
            "(?<![\\p{L}\\p{N}._%+-])[\\p{L}\\p{N}_%+-][\\p{L}\\p{N}._%+-]{0,63}@(?:[\\p{L}\\p{N}-]{1,63}\\.){1,8}"
                    + "([\\p{L}]{2,24})(?![\\p{L}\\p{N}@])");
    private static final Set<String> FILE_ENDINGS = Set.of("png", "jpg", "jpeg", "gif", "svg", "js", "css", "html",
            "webp", "pdf", "txt", "json", "xml", "zip");
    private static final Pattern IBAN = Pattern.compile(
            "(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}");
    private static final Pattern CARD = Pattern.compile("(?<![0-9A-Za-z])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])");
    private static final int SHORTEST_CARD = 13;
    private static final Pattern IP4 = Pattern.compile(
            "(?<![0-9A-Za-z.])(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?![0-9A-Za-z]|\\.[0-9])");
    private static final Pattern VERSION = Pattern.compile(
            "(?i)(?:version|release|build|section|v|rev|firmware)[ .:]*$");
    private static final Pattern IP6 = Pattern.compile(
            "(?<![0-9A-Za-z:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])");
    private static final Pattern PHONE = Pattern.compile(
            "(?<![0-9A-Za-z.,/+-])(?:\\+|00)?\\(?[0-9](?:[ ./()-]{0,3}[0-9]){5,15}(?![0-9A-Za-z]|[.,/-][0-9])");
    private static final Pattern AMERICAN = Pattern.compile(
            "(?:\\+?1[ .-]?)?(?:\\([2-9][0-9]{2}\\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}");
    private static final Pattern NATIONAL = Pattern.compile("\\(?0[1-9][0-9]{1,4}\\)?(?:[ /-]{1,3}[0-9]{2,8}){1,4}");
    private static final Pattern CUE = Pattern.compile("(?i)(?:phone|tel|telephone|call|mobile|cell|fax|hotline|handy|"
            + "telefon|rufnummer|durchwahl|dial|ring|whatsapp|sms)\\b[^0-9]{0,24}$");
    private static final Pattern DATE = Pattern.compile("(?:19|20)[0-9]{2}[ ./-][0-9]{1,2}[ ./-][0-9]{1,2}.*"
            + "|[0-9]{1,2}[ ./-][0-9]{1,2}[ ./-](?:19|20)[0-9]{2}.*");
    private static final Pattern SSN = Pattern.compile(
            "(?<![0-9-])(?!000|666|9[0-9]{2})[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9-])");
    private static final Pattern NINO = Pattern.compile("(?<![A-Za-z0-9])(?![DFIQUV])[A-Z](?![DFIQUVO])[A-Z] ?[0-9]{2} "
            + "?[0-9]{2} ?[0-9]{2} ?[A-D](?![A-Za-z0-9])");
    private static final Pattern STEUER_ID = Pattern.compile(
            "(?<![0-9A-Za-z])[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?![0-9A-Za-z])");
    private static final Pattern DNI = Pattern.compile("(?<![0-9A-Za-z])[0-9]{8}-?[A-Z](?![0-9A-Za-z])");

    private final Set<PiiKind> kinds;
    private final Function<String, List<PiiMatch>> reader;

    private PiiDetector(Set<PiiKind> kinds, Function<String, List<PiiMatch>> reader) {
        this.kinds = kinds;
        this.reader = reader;
    }

    /** The same, which also finds what {@code more} does where nothing else was found; safe for use by many threads. */
    public PiiDetector with(Function<String, List<PiiMatch>> more) {
        return new PiiDetector(kinds, more);
    }

    /** A detector of all kinds but national identity numbers, which are easily taken for other numbers. */
    public static PiiDetector standard() {
        return of(EnumSet.complementOf(EnumSet.of(PiiKind.NATIONAL_ID)));
    }

    /** A detector of some kinds. */
    public static PiiDetector of(Set<PiiKind> kinds) {
        return new PiiDetector(Set.copyOf(kinds), text -> List.of());
    }

    /** The personal data of a text, from its beginning to its end; matches do not overlap. */
    public List<PiiMatch> find(String text) {
        int digits = 0;
        boolean at = false;
        boolean colon = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            digits += c >= '0' && c <= '9' ? 1 : 0;
            at |= c == '@';
            colon |= c == ':';
        }
        TreeMap<Integer, PiiMatch> found = new TreeMap<>();
        if (at && kinds.contains(PiiKind.EMAIL)) {
            emails(text, found);
        }
        if (digits >= 4) {
            numbers(text, digits, found);
        }
        if (colon && digits > 0 && kinds.contains(PiiKind.IP)) {
            collect(PiiKind.IP, IP6, text, found, match -> isIp6(match.group()) ? Optional.of(match.end())
                    : Optional.empty());
        }
        for (PiiMatch match : reader.apply(text)) {
            Map.Entry<Integer, PiiMatch> before = found.lowerEntry(match.end());
            if (before == null || before.getValue().end() <= match.start()) {
                found.put(match.start(), match);
            }
        }
        return List.copyOf(found.values());
    }

    private void numbers(String text, int digits, TreeMap<Integer, PiiMatch> found) {
        if (digits >= 9 && kinds.contains(PiiKind.IBAN)) {
            collect(PiiKind.IBAN, IBAN, text, found, PiiDetector::ibanEnd);
        }
        if (kinds.contains(PiiKind.NATIONAL_ID)) {
            nationalIds(text, found);
        }
        if (digits >= 13 && kinds.contains(PiiKind.CARD)) {
            collect(PiiKind.CARD, CARD, text, found, PiiDetector::cardEnd);
        }
        if (kinds.contains(PiiKind.IP)) {
            collect(PiiKind.IP, IP4, text, found, match -> isIp4(text, match) ? Optional.of(match.end())
                    : Optional.empty());
        }
        if (digits >= 6 && kinds.contains(PiiKind.PHONE)) {
            collect(PiiKind.PHONE, PHONE, text, found, match -> isPhone(text, match) ? Optional.of(match.end())
                    : Optional.empty());
        }
    }

    /** Says where a match ends, if it is one. */
    private interface Check {
        Optional<Integer> end(Matcher match);
    }

    private static void collect(PiiKind kind, Pattern pattern, String text, TreeMap<Integer, PiiMatch> found,
            Check check) {
        Matcher matcher = pattern.matcher(text);
        int from = 0;
        while (from <= text.length() && matcher.find(from)) {
            Optional<Integer> end = check.end(matcher);
            if (end.isPresent()) {
                // Matches do not overlap, so that the last one that begins before the end of this one decides.
                Map.Entry<Integer, PiiMatch> before = found.lowerEntry(end.get());
                if (before == null || before.getValue().end() <= matcher.start()) {
                    found.put(matcher.start(), new PiiMatch(kind, matcher.start(), end.get()));
                }
            }
            from = Math.max(matcher.start() + 1, end.orElse(matcher.end()));
        }
    }

    private static void emails(String text, TreeMap<Integer, PiiMatch> found) {
        collect(PiiKind.EMAIL, EMAIL, text, found, match -> FILE_ENDINGS.contains(match.group(1)
                .toLowerCase(Locale.ROOT)) || match.group().contains("..") ? Optional.empty()
                        : Optional.of(match.end()));
    }

    private static void nationalIds(String text, TreeMap<Integer, PiiMatch> found) {
        collect(PiiKind.NATIONAL_ID, SSN, text, found, match -> Optional.of(match.end()));
        collect(PiiKind.NATIONAL_ID, NINO, text, found, match -> Optional.of(match.end()));
        collect(PiiKind.NATIONAL_ID, STEUER_ID, text, found, match -> CheckDigits.isSteuerId(compact(match.group()))
                ? Optional.of(match.end()) : Optional.empty());
        collect(PiiKind.NATIONAL_ID, DNI, text, found, match -> CheckDigits.isDni(compact(match.group()))
                ? Optional.of(match.end()) : Optional.empty());
    }

    private static String compact(String text) {
        StringBuilder compact = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isLetterOrDigit(text.charAt(i))) {
                compact.append(text.charAt(i));
            }
        }
        return compact.toString();
    }

    /** The end of an account number: the country says how long it is. */
    private static Optional<Integer> ibanEnd(Matcher match) {
        String found = match.group();
        int length = CheckDigits.ibanLength(found.substring(0, 2));
        StringBuilder compact = new StringBuilder();
        for (int i = 0; i < found.length(); i++) {
            if (Character.isLetterOrDigit(found.charAt(i))) {
                compact.append(found.charAt(i));
            }
            if (length > 0 && compact.length() == length) {
                boolean ends = i + 1 == found.length() || !Character.isLetterOrDigit(found.charAt(i + 1));
                return ends && CheckDigits.isIban(compact.toString()) ? Optional.of(match.start() + i + 1)
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** The end of a card number, which an expiry date or a check number may follow. */
    private static Optional<Integer> cardEnd(Matcher match) {
        String found = match.group();
        for (int end = found.length(); end >= SHORTEST_CARD; end--) {
            boolean ends = end == found.length() || !Character.isDigit(found.charAt(end));
            if (ends && CheckDigits.isCard(compact(found.substring(0, end)))) {
                return Optional.of(match.start() + end);
            }
        }
        return Optional.empty();
    }

    private static boolean isIp4(String text, Matcher match) {
        String[] parts = match.group().split("\\.");
        for (String part : parts) {
            if (Integer.parseInt(part) > 255 || part.length() > 1 && part.charAt(0) == '0') {
                return false;
            }
        }
        boolean reserved = parts[0].equals("127") || parts[0].equals("0") || parts[0].equals("255");
        String before = text.substring(Math.max(0, match.start() - 12), match.start());
        return !reserved && !VERSION.matcher(before).find();
    }

    private static boolean isIp6(String text) {
        int gap = text.indexOf("::");
        int colons = (int) text.chars().filter(c -> c == ':').count();
        long groups = java.util.Arrays.stream(text.split(":")).filter(group -> !group.isEmpty()).count();
        boolean edges = (text.charAt(0) != ':' || gap == 0)
                && (text.charAt(text.length() - 1) != ':' || gap == text.length() - 2);
        long digits = text.chars().filter(c -> c != ':').count();
        return edges && digits >= 6 && (gap < 0 ? colons == 7 && groups == 8
                : text.indexOf("::", gap + 1) < 0 && groups >= 3 && groups <= 7);
    }

    private static boolean isPhone(String text, Matcher match) {
        String found = match.group();
        int digits = (int) found.chars().filter(c -> c >= '0' && c <= '9').count();
        if (DATE.matcher(found).matches()) {
            return false;
        }
        if (found.startsWith("+") && digits >= 8 || found.startsWith("00") && digits >= 10 && found.charAt(2) != '0') {
            return true;
        }
        if (AMERICAN.matcher(found).matches() || NATIONAL.matcher(found).matches() && digits >= 8 && digits <= 13) {
            return true;
        }
        String before = text.substring(Math.max(0, match.start() - 40), match.start());
        return digits >= 6 && digits <= 13 && CUE.matcher(before).find();
    }

    /** The text with a placeholder such as {@code [EMAIL]} in place of each match. */
    public String redact(String text) {
        List<PiiMatch> matches = find(text);
        if (matches.isEmpty()) {
            return text;
        }
        StringBuilder redacted = new StringBuilder();
        int done = 0;
        for (PiiMatch match : matches) {
            redacted.append(text, done, match.start()).append(match.kind().placeholder());
            done = match.end();
        }
        return redacted.append(text.substring(done)).toString();
    }

    /**
     * Personal data in a text.
     *
     * @param kind what it is
     * @param start index of its first character
     * @param end index after its last character
     */
    public record PiiMatch(PiiKind kind, int start, int end) {
    }

    /** Check digits of account, card and identity numbers. */
    private static final class CheckDigits {
        private static final Map<String, Integer> IBAN_LENGTHS = ibanLengths();
        private static final String DNI = "TRWAGMYFPDXBNJZSQVHLCKE";

        private CheckDigits() {
        }

        private static Map<String, Integer> ibanLengths() {
            String table = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 "
                    + "DK18 DO28 EE20 "
                    + "EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
                    + "IT27 JO30 KW30 "
                    + "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 "
                    + "PK24 PL28 PS29 "
                    + "PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";
            Map<String, Integer> lengths = new HashMap<>();
            for (String entry : table.split(" ")) {
                lengths.put(entry.substring(0, 2), Integer.parseInt(entry.substring(2)));
            }
            return Map.copyOf(lengths);
        }

        /** The length of a country's account numbers, 0 for an unknown country. */
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
}

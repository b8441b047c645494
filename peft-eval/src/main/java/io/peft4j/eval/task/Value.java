package io.peft4j.eval.task;

import java.math.BigDecimal;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A number with its unit, an amount, a time, a date, a weekday, a rate, a code or the letter of a building, in one
 * form however it is written: {@code 6 am} is {@code 06:00} and {@code 6 Uhr}, {@code 1,300 EUR} is {@code 1300 euros},
 * {@code 90-day} is {@code neunzig Tage}. A separator before three last digits stands for thousands, else for decimals.
 *
 * @param kind what it is compared with: values of one kind contradict each other
 * @param readings what it may mean, mostly one
 * @param amount the bare number, for where the other side leaves the unit out; empty if there is none
 * @param start where it begins in the plain text
 * @param end where it ends
 */
record Value(String kind, List<String> readings, String amount, int start, int end) {
    /** The kind of what an amount is paid or counted for. */
    public static final String PER = "per";
    /** The kind of numbers without a unit. */
    public static final String NUMBER = "number";
    private static final String DATE = "date";
    private static final String LETTER = "letter ";
    private static final Set<String> MONEY = Lexicon.words("money");
    private static final Pattern VALUE = Lexicon.pattern("(?<![a-z0-9])(?:" + String.join("|", Lexicon.list("values"))
            + ")");

    /** The text with one spelling of its values. */
    public static String canonical(String text) {
        return VALUE.matcher(Lexicon.plain(text)).replaceAll(found -> of((Matcher) found).readings.get(0));
    }

    /** The values of a plain text in their order. */
    public static List<Value> in(String plain) {
        Matcher matcher = VALUE.matcher(plain);
        return Stream.iterate(matcher.find(), found -> found, found -> matcher.find()).map(
                found -> of(matcher)).toList();
    }

    private static Value of(Matcher found) {
        if (found.group("d") != null) {
            String month = found.group("m");
            return value(found, DATE, "", (found.group("y").isEmpty() ? "0" : found.group("y")) + "-" + (Lexicon.MONTHS
                    .containsKey(month) ? Lexicon.MONTHS.get(month) : Integer.valueOf(month)) + "-" + Integer.valueOf(
                            found.group("d")));
        }
        if (found.group("h") != null) {
            return time(found, Integer.parseInt(found.group("h")), Integer.parseInt(found.group("n")), found.group(
                    "p"));
        }
        if (found.group("per") != null) {
            return value(found, PER, "", "per " + Lexicon.UNITS.get(found.group("per")), amount(found, "1", found.group(
                    "per")).readings.get(0));
        }
        if (found.group("v") != null) {
            return amount(found, found.group("v"), found.group(found.group("e") == null ? "u" : "e"));
        }
        if (found.group("letter") != null) {
            return value(found, LETTER + Objects.requireNonNullElse(found.group("head"), "").replaceFirst("[sn]$", ""),
                    "", LETTER + found.group("letter"));
        }
        return found.group("day") == null ? value(found, "code", "", found.group().replaceAll("[^a-z0-9@.:]", ""))
                : value(found, "weekday", "", "weekday " + Lexicon.DAYS.get(found.group("day")));
    }

    private static Value value(MatchResult found, String kind, String amount, String... readings) {
        return new Value(kind, List.of(readings), amount, found.start(), found.end());
    }

    private static Value time(Matcher found, int hour, int minutes, String half) {
        boolean later = "p".equals(half) && hour < 12 || "n".equals(half) && hour > 5 && hour < 12;
        int shifted = later ? hour + 12 : half != null && !"p".equals(half) && hour == 12 ? 0 : hour;
        return value(found, "time", minutes == 0 ? Integer.toString(hour) : "", (shifted == 24 ? minutes : 60 * shifted
                + minutes) + " time");
    }

    private static Value amount(Matcher found, String digits, String word) {
        String number = times(number(digits), "1");
        if (word == null) {
            return value(found, NUMBER, number, number);
        }
        String unit = Lexicon.UNITS.get(word);
        String[] base = Lexicon.TABLE.get("bases").path(unit).asText("1 " + unit).split(" ");
        String reading = times(number, base[0]) + " " + base[1];
        // "6 heures" is a time or a span.
        return value(found, MONEY.contains(unit) ? "money" : base[1], number, reading, word.matches("h|heures?")
                ? times(number, "60") + " time" : reading);
    }

    private static String number(String digits) {
        int last = Math.max(digits.lastIndexOf('.'), digits.lastIndexOf(','));
        boolean decimals = last >= 0 && (digits.length() - last != 4 || digits.matches("-?0\\D.*"));
        String whole = decimals ? digits.substring(0, last) : digits;
        return whole.replaceAll("[., ']", "") + (decimals ? "." + digits.substring(last + 1) : "");
    }

    private static String times(String number, String factor) {
        return new BigDecimal(number).multiply(new BigDecimal(factor)).stripTrailingZeros().toPlainString();
    }

    /** Whether it is the letter of a building or the like, which an answer may leave out, but not exchange. */
    public boolean isLetter() {
        return kind.startsWith(LETTER);
    }

    /** Whether both mean the same; a year or a unit that one leaves out is taken from the other. */
    public boolean equalsInValue(Value other) {
        boolean yearless = kind.equals(DATE) && (readings.get(0).startsWith("0-") || other.readings.get(0).startsWith(
                "0-"));
        return yearless && other.kind.equals(DATE) ? toString().replaceFirst("\\d+", "").equals(other.toString()
                .replaceFirst("\\d+", ""))
                : readings.stream().anyMatch(other.readings::contains)
                        || !amount.isEmpty() && amount.equals(other.amount)
                                && (kind.equals(NUMBER) || other.kind.equals(NUMBER));
    }

    @Override
    public String toString() {
        return readings.get(0);
    }
}

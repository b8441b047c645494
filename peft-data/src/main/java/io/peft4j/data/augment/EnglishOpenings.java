package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How English questions for a value begin: what is asked for follows from what stands around it. {@code in room B-207}
 * is asked for with "In which room", {@code 26 days of leave} with "How many days", {@code before 9:15} with "By when".
 */
final class EnglishOpenings implements ClozeSentence.Openings {
    private static final Set<String> ARTICLES = Set.of("the", "a", "an");
    private static final Set<String> PREPOSITIONS = Set.of("in", "on", "at", "by", "for", "to", "from", "with",
            "within", "after", "before", "until", "through", "behind", "under", "over", "via");
    /** What is not counted though it follows a number. */
    private static final Set<String> SMALL = Set.of("is", "are", "and", "or", "of", "per", "each", "every", "than",
            "as", "up", "a", "an", "the", "must", "can", "may");
    private static final Set<String> TIMES = Set.of("second", "seconds", "minute", "minutes", "hour", "hours", "day",
            "days", "night", "nights", "week", "weeks", "month", "months", "quarter", "quarters", "year", "years");
    private static final Set<String> MONEY = Set.of("euro", "euros", "cent", "cents", "dollar", "dollars", "pound",
            "pounds", "pence", "franc", "francs", "crown", "crowns", "percent", "eur", "usd", "gbp", "chf");
    private static final Set<String> TITLES = Set.of("mr", "mrs", "ms", "miss", "dr", "prof", "professor");

    @Override
    public List<String> ofNumber(ClozeSentence.Value value) {
        String unit = value.after(1).toLowerCase(Locale.ROOT);
        if (value.isClock() || Set.of("am", "pm", "o'clock").contains(unit)) {
            return switch (value.before(1)) {
                case "by", "before" -> List.of("By when", "When");
                case "until", "till" -> List.of("Until when", "When");
                default -> List.of("When");
            };
        }
        if (value.hasCurrency() || MONEY.contains(unit)) {
            return List.of("What is", "How much");
        }
        if (value.isAmount() && !SMALL.contains(unit) && !PREPOSITIONS.contains(unit)) {
            return counted(value, value.after(1), TIMES.contains(unit) && !value.after(2).equals("of"));
        }
        return which(value);
    }

    private static List<String> counted(ClozeSentence.Value value, String unit, boolean time) {
        String before = value.before(1);
        if (before.equals("every")) {
            return List.of("How often");
        }
        List<String> all = new ArrayList<>();
        if (PREPOSITIONS.contains(before) && !value.before(2).equals("up")) {
            all.add(capital(before) + " how many " + unit);
        }
        all.add("How many " + unit);
        if (time) {
            all.add("How long");
        }
        all.add("What is");
        return all;
    }

    /** For what has the name of a kind before it: a room, a form, a hotline. */
    private static List<String> which(ClozeSentence.Value value) {
        String kind = value.before(1);
        if (kind.isEmpty() || SMALL.contains(kind) || PREPOSITIONS.contains(kind)) {
            return List.of("What");
        }
        String place = value.before(ARTICLES.contains(value.before(2)) ? 3 : 2);
        return PREPOSITIONS.contains(place) ? List.of(capital(place) + " which " + kind, "Which " + kind, "What is")
                : List.of("Which " + kind, "What is");
    }

    @Override
    public List<String> ofName(ClozeSentence.Value value) {
        String before = value.before(1);
        if (TITLES.contains(value.first())) {
            return PREPOSITIONS.contains(before) ? List.of(capital(before) + " whom", "Who") : List.of("Who");
        }
        return ARTICLES.contains(before) || PREPOSITIONS.contains(before) ? List.of("Where", "Who", "What", "Which")
                : which(value);
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }
}

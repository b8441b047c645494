package io.peft4j.data.augment;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How German questions for a value begin, as {@link EnglishOpenings} but for what would need a noun's gender. */
final class GermanOpenings implements ClozeSentence.Openings {
    private static final Set<String> TIMES = Set.of("minuten", "stunden", "tage", "tagen", "wochen", "monate",
            "monaten", "jahre", "jahren");
    private static final Set<String> MONEY = Set.of("euro", "cent", "prozent", "franken", "kronen");
    private static final Set<String> TITLES = Set.of("frau", "herr", "herrn", "dr", "prof");

    @Override
    public List<String> ofNumber(ClozeSentence.Value value) {
        String unit = value.after(1).toLowerCase(Locale.ROOT);
        if (value.isClock() || unit.equals("uhr")) {
            return switch (value.before(1)) {
                case "bis", "vor" -> List.of("Bis wann");
                case "ab", "von" -> List.of("Ab wann");
                default -> List.of("Wann");
            };
        }
        if (value.hasCurrency() || MONEY.contains(unit)) {
            return List.of("Wie viel", "Wie hoch", "Was");
        }
        if (value.before(1).equals("alle")) {
            return List.of("Wie oft");
        }
        // Nouns are written with a capital letter.
        if (!value.isAmount() || !Character.isUpperCase(value.after(1).codePointAt(0))) {
            return List.of("Welche", "Was", "Wie", "Wo");
        }
        return TIMES.contains(unit) ? List.of("Wie viele " + value.after(1), "Wie lange")
                : List.of("Wie viele " + value.after(1));
    }

    @Override
    public List<String> ofName(ClozeSentence.Value value) {
        return TITLES.contains(value.first()) ? List.of("Wer", "Bei wem") : List.of("Wo", "Wer", "Was", "Wie");
    }
}

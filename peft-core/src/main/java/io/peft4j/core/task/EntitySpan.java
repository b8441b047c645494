package io.peft4j.core.task;

import java.util.ArrayList;
import java.util.List;

/**
 * An entity: words in a row with one type.
 *
 * @param type the type, for instance {@code PER}
 * @param first the first word
 * @param end the word after the last
 */
public record EntitySpan(String type, int first, int end) {
    /**
     * The entities that labels in IOB form ({@code B-PER}, {@code I-PER}, {@code O}; also {@code E-} and {@code S-})
     * say, as seqeval reads them by default: an entity begins at a {@code B-} or {@code S-}, and also at an
     * {@code I-} or {@code E-} after another type or none.
     */
    public static List<EntitySpan> of(List<String> labels) {
        List<EntitySpan> spans = new ArrayList<>();
        String tagBefore = "O";
        String typeBefore = "";
        int begin = 0;
        for (int i = 0; i <= labels.size(); i++) {
            String label = i < labels.size() ? labels.get(i) : "O";
            String tag = label.substring(0, 1);
            String rest = label.substring(label.indexOf('-', 1) < 0 ? 1 : label.indexOf('-', 1) + 1);
            String type = rest.isEmpty() ? "_" : rest;
            if (ends(tagBefore, tag, typeBefore, type)) {
                spans.add(new EntitySpan(typeBefore, begin, i));
            }
            if (begins(tagBefore, tag, typeBefore, type)) {
                begin = i;
            }
            tagBefore = tag;
            typeBefore = type;
        }
        return spans;
    }

    private static boolean ends(String before, String now, String typeBefore, String type) {
        if (before.equals("O") || before.equals(".")) {
            return false;
        }
        return before.equals("E") || before.equals("S") || "BSO".contains(now) || !typeBefore.equals(type);
    }

    private static boolean begins(String before, String now, String typeBefore, String type) {
        if (now.equals("O") || now.equals(".")) {
            return false;
        }
        return now.equals("B") || now.equals("S") || "ESO".contains(before) || !typeBefore.equals(type);
    }
}

package io.peft4j.models.architecture;

import java.util.List;
import java.util.stream.Stream;

/**
 * The parts of a tensor's name.
 *
 * @param whole the name without its end
 * @param inLayer the same with {@code *} in the place of the layer's number; empty where it is no layer's
 * @param ofExpert the same with {@code #} in the place of further numbers, too
 * @param layer the layer's number; {@code *} where it has none
 * @param expert the last further number; -1 where it has none
 * @param suffix {@code .weight}, {@code .bias}, or nothing
 */
record GgufName(String whole, String inLayer, String ofExpert, String layer, int expert, String suffix) {
    static final String LAYER = "*";
    static final String EXPERT = "#";
    private static final String NUMBER = "[0-9]{1,6}";

    /** The parts of a name; layers stand below one of the prefixes, which end with a dot. */
    static GgufName of(String name, List<String> prefixes) {
        int dot = name.lastIndexOf('.');
        String end = dot < 0 ? "" : name.substring(dot);
        String suffix = end.equals(".weight") || end.equals(".bias") ? end : "";
        String whole = name.substring(0, name.length() - suffix.length());
        String prefix = prefixes.stream().filter(whole::startsWith).findFirst().orElse("");
        String[] parts = whole.substring(prefix.length()).split("\\.");
        if (prefix.isEmpty() || parts.length == 0 || !parts[0].matches(NUMBER)) {
            return new GgufName(whole, "", "", LAYER, -1, suffix);
        }
        String layer = parts[0];
        parts[0] = LAYER;
        String inLayer = prefix + String.join(".", parts);
        int expert = -1;
        for (int i = 1; i < parts.length; i++) {
            if (parts[i].matches(NUMBER)) {
                expert = Integer.parseInt(parts[i]);
                parts[i] = EXPERT;
            }
        }
        return new GgufName(whole, inLayer, prefix + String.join(".", parts), layer, expert, suffix);
    }

    /** Whether a number besides the layer's is in it. */
    boolean isOneOfMany() {
        return expert >= 0;
    }

    /** What a form may call it, the most exact first. */
    Stream<String> forms() {
        boolean plain = !whole.contains(LAYER) && !whole.contains(EXPERT);
        return Stream.of(plain ? whole : "", inLayer, ofExpert).filter(form -> !form.isEmpty());
    }
}

package io.peft4j.models.architecture;

/**
 * The parts of a tensor's name.
 *
 * @param place the name without its end, {@code *} in the place of the layer's number and {@code #} of an expert's
 * @param layer the layer's number; {@code *} where it has none
 * @param expert the expert's number; -1 where it has none
 * @param suffix {@code .weight}, {@code .bias}, or nothing
 */
record GgufName(String place, String layer, int expert, String suffix) {
    static final String LAYER = "*";
    static final String EXPERT = "#";
    private static final String NUMBER = "[0-9]{1,6}";

    /** The parts of a name; layers stand below {@code blocks}. */
    static GgufName of(String name, String blocks) {
        int dot = name.lastIndexOf('.');
        String end = dot < 0 ? "" : name.substring(dot);
        String suffix = end.equals(".weight") || end.equals(".bias") ? end : "";
        String place = name.substring(0, name.length() - suffix.length());
        if (!place.startsWith(blocks)) {
            return new GgufName(place, LAYER, -1, suffix);
        }
        String[] parts = place.substring(blocks.length()).split("\\.");
        String layer = parts[0];
        int expert = -1;
        parts[0] = LAYER;
        for (int i = 1; i < parts.length; i++) {
            if (parts[i].matches(NUMBER)) {
                expert = Integer.parseInt(parts[i]);
                parts[i] = EXPERT;
            }
        }
        boolean numbered = layer.matches(NUMBER);
        return new GgufName(numbered ? blocks + String.join(".", parts) : "", layer, numbered ? expert : -1, suffix);
    }
}

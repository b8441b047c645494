package io.peft4j.models.architecture;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The names of a family's tensors, Hugging Face's beside llama.cpp's. Instances are immutable; each method that adds
 * something gives a new one.
 *
 * @param stacks what the names of layers begin with; tensors are stated for the last
 * @param places llama.cpp's name by Hugging Face's, both without {@code weight} and {@code bias}
 */
record GgufNames(List<Stack> stacks, Map<String, String> places) {
    /** Layers of one kind; an encoder-decoder has two. */
    record Stack(String huggingFace, String gguf) {
    }

    /** No tensors, and the layers of a decoder like Llama. */
    static final GgufNames NONE = new GgufNames(List.of(new Stack("model.layers.", "blk.")), Map.of());

    GgufNames {
        stacks = List.copyOf(stacks);
    }

    GgufNames stack(String huggingFace, String gguf) {
        return new GgufNames(Stream.concat(stacks.stream(), Stream.of(new Stack(huggingFace + ".", gguf + ".")))
                .toList(), places);
    }

    GgufNames inLayers(String place, String gguf) {
        Stack stack = stacks.get(stacks.size() - 1);
        return put(stack.huggingFace() + GgufName.LAYER + "." + place, stack.gguf() + GgufName.LAYER + "." + gguf);
    }

    GgufNames put(String place, String gguf) {
        Map<String, String> more = new LinkedHashMap<>(without(gguf).places);
        more.put(place, gguf);
        return new GgufNames(stacks, more);
    }

    GgufNames without(String gguf) {
        Map<String, String> fewer = new LinkedHashMap<>(places);
        fewer.values().remove(gguf);
        return new GgufNames(stacks, fewer);
    }

    /** llama.cpp's name of a tensor, without an expert's number. */
    Optional<String> toGguf(String name) {
        GgufName parts = parts(name);
        return parts.forms().map(places::get).filter(gguf -> gguf != null).findFirst()
                .map(gguf -> gguf.replace(GgufName.LAYER, parts.layer()) + parts.suffix());
    }

    /** Hugging Face's name of a tensor, with {@code #} in the place of an expert's number. */
    Optional<String> toHuggingFace(String name) {
        GgufName parts = GgufName.of(name, stacks.stream().map(Stack::gguf).toList());
        return parts.forms().flatMap(form -> place(form).map(place -> place + parts.suffix())
                .or(() -> place(form + parts.suffix())).stream()).findFirst()
                .map(place -> place.replace(GgufName.LAYER, parts.layer()));
    }

    private Optional<String> place(String gguf) {
        return places.entrySet().stream().filter(entry -> entry.getValue().equals(gguf)).findFirst()
                .map(Map.Entry::getKey);
    }

    /** The number of the expert that a Hugging Face name means, or -1; other numbers may be part of a name. */
    int expert(String name) {
        GgufName parts = parts(name);
        return parts.isOneOfMany() && parts.forms().filter(places::containsKey).findFirst()
                .filter(form -> !form.contains(GgufName.EXPERT)).isPresent() ? -1 : parts.expert();
    }

    /** Whether a Hugging Face name is that of one of the places, which stand without what the layers begin with. */
    boolean isOneOf(Set<String> chosen, String name) {
        GgufName parts = parts(name);
        return parts.forms().anyMatch(form -> chosen.contains(form) || stacks.stream().anyMatch(stack -> {
            String layer = stack.huggingFace() + GgufName.LAYER + ".";
            return form.startsWith(layer) && chosen.contains(form.substring(layer.length()));
        }));
    }

    private GgufName parts(String name) {
        return GgufName.of(name, stacks.stream().map(Stack::huggingFace).toList());
    }

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
    private record GgufName(String whole, String inLayer, String ofExpert, String layer, int expert, String suffix) {
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
}

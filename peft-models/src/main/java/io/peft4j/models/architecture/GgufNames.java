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
}

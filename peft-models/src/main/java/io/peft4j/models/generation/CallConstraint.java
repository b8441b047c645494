package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Any text, in which what begins a call is followed by the rest of it. States below the number of places are free text,
 * told apart by how much of a mark it ends with; others are states of what follows a mark.
 */
final class CallConstraint implements TextConstraint {
    private static final int VALUES = 256;

    private final String description;
    private final List<TextConstraint> calls;
    private final boolean several;
    private final List<Place> places = new ArrayList<>();
    private final Map<Place, Integer> numbers = new HashMap<>();
    /** For each thing that free text may be, a text or the thought that a mark ends, where its marks lead. */
    private final Map<String, Map<String, Integer>> targets = new HashMap<>();
    private final AtomicReferenceArray<int[]> steps;
    private final int start;

    /**
     * Free text.
     *
     * @param end of the thought that it is in; empty where it is in none
     * @param seen the beginning of a mark that it ends with; each character stands for a byte
     */
    private record Place(String end, String seen) {
    }

    /**
     * Texts with calls.
     *
     * @param calls what follows each of the marks that begin one
     * @param thoughts what ends a thought, by what begins it
     * @param thought the mark by which the text begins within a thought
     * @param several whether the text goes on behind a call
     */
    CallConstraint(String description, Map<String, TextConstraint> calls, Map<String, String> thoughts,
            Optional<String> thought, boolean several) {
        this.description = description;
        this.calls = List.copyOf(calls.values());
        this.several = several;
        add("", calls.keySet());
        add("", thoughts.keySet());
        thoughts.values().forEach(end -> add(end, List.of(end)));
        Map<String, Integer> marks = targets.get("");
        thoughts.forEach((begin, end) -> marks.put(bytes(begin), numbers.get(new Place(end, ""))));
        new ArrayList<>(calls.keySet()).forEach(mark -> marks.put(bytes(mark), inCall(this.calls.indexOf(calls
                .get(mark)), calls.get(mark).start())));
        thoughts.values().forEach(end -> targets.get(end).put(bytes(end), 0));
        this.steps = new AtomicReferenceArray<>(places.size());
        this.start = thought.map(begin -> numbers.get(new Place(thoughts.get(begin), ""))).orElse(0);
    }

    private void add(String end, Iterable<String> marks) {
        targets.computeIfAbsent(end, key -> new LinkedHashMap<>());
        for (String mark : marks) {
            String seen = bytes(mark);
            for (int length = 0; length < seen.length(); length++) {
                Place place = new Place(end, seen.substring(0, length));
                if (numbers.putIfAbsent(place, places.size()) == null) {
                    places.add(place);
                }
            }
        }
    }

    private static String bytes(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private int inCall(int call, int state) {
        return places.size() + state * calls.size() + call;
    }

    @Override
    public int start() {
        return start;
    }

    @Override
    public int step(int state, int value) {
        if (state < places.size()) {
            int[] known = steps.get(state);
            if (known == null) {
                known = steps(places.get(state));
                steps.set(state, known);
            }
            return known[value];
        }
        int call = call(state);
        int inner = inner(state);
        try {
            int next = calls.get(call).step(inner, value);
            return next != NONE ? inCall(call, next)
                    : several && calls.get(call).mayEnd(inner) ? step(0, value) : NONE;
        } catch (ConfigurationException e) {
            // The schemas are too complex to be followed further: the call is text like any other.
            return 0;
        }
    }

    private int[] steps(Place place) {
        int[] all = new int[VALUES];
        Map<String, Integer> marks = targets.get(place.end());
        for (int value = 0; value < VALUES; value++) {
            String seen = place.seen() + (char) value;
            Integer target = null;
            for (int from = 0; from < seen.length() && target == null; from++) {
                target = marks.get(seen.substring(from));
            }
            for (int from = 0; target == null; from++) {
                target = numbers.get(new Place(place.end(), seen.substring(from)));
            }
            all[value] = target;
        }
        return all;
    }

    private int call(int state) {
        return (state - places.size()) % calls.size();
    }

    private int inner(int state) {
        return (state - places.size()) / calls.size();
    }

    @Override
    public boolean mayEnd(int state) {
        return state < places.size() || calls.get(call(state)).mayEnd(inner(state));
    }

    @Override
    public boolean mayGoOn(int state) {
        return state < places.size() || several || calls.get(call(state)).mayGoOn(inner(state));
    }

    @Override
    public long bytes() {
        long rows = 0;
        for (int i = 0; i < steps.length(); i++) {
            rows += steps.get(i) == null ? 0 : Integer.BYTES * VALUES;
        }
        return rows + calls.stream().mapToLong(TextConstraint::bytes).sum();
    }

    @Override
    public String description() {
        return description;
    }
}

package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Python's stable sort. */
final class Sorting {
    private Sorting() {
    }

    /** Sorts a list in place by a key of each item; items of equal keys keep their order, also in reverse. */
    static <T> void sort(List<T> items, Function<? super T, ?> key, boolean reverse, Budget budget) {
        budget.charge(items.size());
        List<Keyed<T>> keyed = new ArrayList<>(items.size());
        for (T item : items) {
            keyed.add(new Keyed<>(key.apply(item), item));
        }
        try {
            keyed.sort((a, b) -> {
                int order = PyCompare.compare(a.key, b.key, "<", budget);
                return order == PyCompare.UNORDERED ? 0 : reverse ? -order : order;
            });
        } catch (IllegalArgumentException e) {
            throw new TemplateError("values that contain NaN cannot be sorted");
        }
        for (int i = 0; i < keyed.size(); i++) {
            items.set(i, keyed.get(i).item);
        }
    }

    private record Keyed<T>(Object key, T item) {
    }
}

package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The wrong rows of a file in one exception, so that they can be mended in one go: the first ones, and how many. */
@Internal(shared = true)
public final class DataFaults {
    private static final int LISTED = 10;

    private final List<DataException> listed = new ArrayList<>();
    private int more;

    /** Does something, and keeps what it finds to be wrong. */
    public void collect(Runnable action) {
        try {
            action.run();
        } catch (DataException e) {
            if (listed.size() < LISTED) {
                listed.add(e);
            } else {
                more++;
            }
        }
    }

    /** Throws at the place of the first fault, with a list of all; does nothing without faults. */
    public void throwAny() {
        if (listed.isEmpty()) {
            return;
        }
        DataException first = listed.get(0);
        if (listed.size() == 1) {
            throw first;
        }
        StringBuilder text = new StringBuilder(first.problem());
        List<DataException> others = new ArrayList<>(listed.subList(1, listed.size()));
        List<DataException> same = others.stream().filter(fault -> fault.line() > 0 && fault.file().equals(first.file())
                && fault.problem().equals(first.problem())).toList();
        if (!same.isEmpty()) {
            text.append("\nThe same in line").append(same.size() == 1 ? " " : "s ").append(same.stream()
                    .map(fault -> String.valueOf(fault.line())).collect(Collectors.joining(", ")));
            others.removeAll(same);
        }
        if (!others.isEmpty()) {
            text.append("\nMore rows are wrong:");
            others.forEach(fault -> text.append("\n  ").append(fault.getMessage().replace("\n", "\n  ")));
        }
        if (more > 0) {
            text.append("\nand ").append(Count.of(more, "more row")).append(more == 1 ? " is" : " are").append(
                    " wrong");
        }
        throw new DataException(first.file(), first.line(), first.column(), text.toString(), first);
    }
}

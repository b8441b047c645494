package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Several wrong rows of a file in one exception, so that they can be mended in one go. */
@Internal
public final class DataFaults {
    /** A file is not read any further after so many. */
    public static final int MOST = 10;

    private DataFaults() {
    }

    /** Throws at the place of the first fault, with a list of all; does nothing without faults. */
    public static void throwAny(Path file, List<DataException> faults) {
        if (faults.isEmpty()) {
            return;
        }
        DataException first = faults.get(0);
        if (faults.size() == 1) {
            throw first;
        }
        StringBuilder text = new StringBuilder(first.problem());
        List<DataException> others = new ArrayList<>(faults.subList(1, faults.size()));
        List<String> same = others.stream().filter(fault -> fault.problem().equals(first.problem()))
                .map(fault -> String.valueOf(fault.line())).toList();
        if (!same.isEmpty()) {
            text.append("\nThe same in line").append(same.size() == 1 ? " " : "s ").append(String.join(", ", same));
            others.removeIf(fault -> fault.problem().equals(first.problem()));
        }
        if (!others.isEmpty()) {
            text.append("\nMore rows are wrong:");
            others.forEach(fault -> text.append("\n  ").append(fault.getMessage()));
        }
        if (faults.size() == MOST) {
            text.append("\n(not read any further)");
        }
        throw new DataException(file, first.line(), first.column(), text.toString(), first);
    }
}

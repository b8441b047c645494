package io.peft4j.data.clean;

import io.peft4j.core.Internal;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;

/** What a step did. */
@Internal(shared = true)
public final class StepReport {
    private static final int SHOWN = 3;
    private static final int LONGEST = 200;
    /** Reports are read by more people than the data is. */
    private static final PiiDetector ALL = PiiDetector.of(EnumSet.allOf(PiiKind.class));

    private final String name;
    private final List<Sample> samples = new ArrayList<>();
    private long changed;
    private long dropped;

    /**
     * What a step did to an example.
     *
     * @param file the example's file
     * @param line its line
     * @param before the text that was changed, or all of a dropped example, shortened and without personal data
     * @param after what became of it; empty for a dropped example
     */
    public record Sample(String file, long line, String before, String after) {
    }

    StepReport(String name) {
        this.name = name;
    }

    void changed(Example before, Example after) {
        changed++;
        if (samples.size() < SHOWN) {
            Iterator<String> now = TextCleaning.of(after).iterator();
            for (String text : TextCleaning.of(before).toList()) {
                String then = now.hasNext() ? now.next() : "";
                if (!text.equals(then)) {
                    String told = ALL.redact(then);
                    boolean open = told.equals(then) && ALL.redact(text).equals(text);
                    samples.add(new Sample(before.origin().file(), before.origin().line(), open ? shortened(text)
                            : "text with personal data", shortened(told)));
                    return;
                }
            }
        }
    }

    void dropped(Example example) {
        dropped++;
        if (samples.size() < SHOWN) {
            samples.add(new Sample(example.origin().file(), example.origin().line(),
                    shortened(ALL.redact(TextCleaning.of(example).collect(Collectors.joining(" | ")))), ""));
        }
    }

    private static String shortened(String text) {
        return text.codePointCount(0, text.length()) <= LONGEST ? text
                : text.substring(0, text.offsetByCodePoints(0, LONGEST)) + "...";
    }

    /** The name of the step. */
    public String name() {
        return name;
    }

    /** How many examples it changed. */
    public long changed() {
        return changed;
    }

    /** How many examples it dropped. */
    public long dropped() {
        return dropped;
    }

    /** The first few. */
    public List<Sample> samples() {
        return List.copyOf(samples);
    }

    @Override
    public String toString() {
        return name + ": " + changed + " changed, " + dropped + " dropped";
    }
}

package io.peft4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.BaseModel;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.TypeConversionException;

/** {@code peft4j bench}: how fast this machine trains and answers. */
@Command(name = "bench", description = "Measures how fast this machine trains and generates.",
        subcommands = {BenchTrainCommand.class, BenchGenerateCommand.class})
final class BenchCommand extends CommandGroup {
    /** What was measured with, for the line of figures. */
    static void putEngine(ObjectNode line, BaseModel model, int threads) {
        line.put("dtype", model.precision().name()).put("kernels", model.engine().name()).put("threads", threads);
    }

    /**
     * So many sequences of so many tokens.
     *
     * @param sequences B
     * @param tokens T
     */
    record Shape(int sequences, int tokens) {
        private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,5})x([1-9]\\d{0,5})");

        /** Reads {@code BxT}. */
        static Shape of(String text) {
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("'" + text
                        + "' is not a shape; use SEQUENCESxTOKENS, for example 4x128");
            }
            return new Shape(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        }
    }
}

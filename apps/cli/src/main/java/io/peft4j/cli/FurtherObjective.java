package io.peft4j.cli;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/**
 * Another objective that is learned at the same time: {@code dpo=pairs.jsonl,weight=0.5,validation=held.jsonl}.
 *
 * @param objective what is learned
 * @param data its examples
 * @param weight what its loss counts; that of the first objective counts 1
 * @param validation what its loss is measured on
 */
record FurtherObjective(String objective, Path data, double weight, Optional<Path> validation) {
    static final String FORM = "OBJECTIVE=FILE[,weight=W][,validation=FILE]";

    static FurtherObjective of(String text) {
        String[] words = text.split(",");
        String[] first = words[0].split("=", 2);
        if (first.length < 2 || first[1].isBlank()) {
            throw new TypeConversionException("'" + text + "' is not " + FORM);
        }
        double weight = 1;
        Optional<Path> validation = Optional.empty();
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].strip().split("=", 2);
            if (pair.length == 2 && pair[0].equals("weight")) {
                weight = weight(pair[1]);
            } else if (pair.length == 2 && pair[0].equals("validation") && !pair[1].isBlank()) {
                validation = Optional.of(Path.of(pair[1]));
            } else {
                throw new TypeConversionException("'" + words[i] + "' in '" + text + "' is not weight=W or "
                        + "validation=FILE");
            }
        }
        return new FurtherObjective(first[0].strip(), Path.of(first[1].strip()), weight,
                validation);
    }

    private static double weight(String text) {
        try {
            double weight = Double.parseDouble(text);
            if (weight > 0 && weight < Double.POSITIVE_INFINITY) {
                return weight;
            }
        } catch (NumberFormatException e) {
            // As one that is out of range.
        }
        throw new TypeConversionException("the weight '" + text + "' must be a number above 0");
    }
}

package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.LongNode;
import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.List;

/** The values that an option can have in a sweep. */
public sealed interface Domain {
    /**
     * A value.
     *
     * @param place where in the domain, from 0 to below 1
     */
    JsonNode at(double place);

    /** Where in the domain a value lies, from 0 to 1. */
    double place(JsonNode value);

    /**
     * The values of a grid.
     *
     * @throws ConfigurationException when there are too many, because no number of points is given
     */
    List<JsonNode> grid();

    /** Values that show whether an option takes this domain: all of a list, the ends of a range. */
    List<JsonNode> samples();

    /**
     * Some values, of any kind.
     *
     * @param values at least one
     */
    record Choices(List<JsonNode> values) implements Domain {
        /** Checks that there are some. */
        public Choices {
            values = List.copyOf(values);
            if (values.isEmpty()) {
                throw new ConfigurationException("a list of values is empty");
            }
        }

        @Override
        public JsonNode at(double place) {
            return values.get((int) Math.min(values.size() - 1, place * values.size()));
        }

        @Override
        public double place(JsonNode value) {
            return (values.indexOf(value) + 0.5) / values.size();
        }

        @Override
        public List<JsonNode> grid() {
            return values;
        }

        @Override
        public List<JsonNode> samples() {
            return values;
        }
    }

    /**
     * The numbers from {@code min} to {@code max}.
     *
     * @param log whether equal ratios are equally far apart, as suits learning rates
     * @param whole whether they are whole numbers
     * @param points how many of them a grid has; 0 where it is not said
     */
    record Range(double min, double max, boolean log, boolean whole, int points) implements Domain {
        private static final int MOST_WHOLE = 32;

        /**
         * Checks the numbers.
         *
         * @throws ConfigurationException when they are no range
         */
        public Range {
            if (!(min < max && Double.isFinite(min) && Double.isFinite(max))) {
                throw new ConfigurationException("the range from " + min + " to " + max
                        + " is empty; \"min\" must be below \"max\"");
            }
            if (log && min <= 0) {
                throw new ConfigurationException("the range from " + min + " to " + max
                        + " cannot be logarithmic; \"min\" must be above 0");
            }
            if (points < 0 || points == 1) {
                throw new ConfigurationException("\"points\" is " + points + "; a grid has at least 2");
            }
        }

        /** As it is read back from a file. */
        private static JsonNode whole(long value) {
            return value == (int) value ? IntNode.valueOf((int) value) : LongNode.valueOf(value);
        }

        private double from() {
            return log ? Math.log(min) : min;
        }

        private double width() {
            return (log ? Math.log(max) : max) - from();
        }

        @Override
        public JsonNode at(double place) {
            if (whole) {
                // Each number has the same share of a range that is not logarithmic.
                double value = log ? Math.round(Math.exp(from() + place * width()))
                        : Math.floor(min + place * (max - min + 1));
                return whole((long) Math.max(min, Math.min(max, value)));
            }
            double value = from() + place * width();
            return DoubleNode.valueOf(Math.max(min, Math.min(max, log ? Math.exp(value) : value)));
        }

        @Override
        public double place(JsonNode value) {
            double number = log ? Math.log(value.asDouble()) : value.asDouble();
            return whole && !log ? (number - min + 0.5) / (max - min + 1) : (number - from()) / width();
        }

        @Override
        public List<JsonNode> grid() {
            if (points == 0 && !(whole && max - min < MOST_WHOLE)) {
                throw new ConfigurationException("the range from " + min + " to " + max + " has no grid; give "
                        + "\"points\", or a list of values");
            }
            List<JsonNode> values = new ArrayList<>();
            int count = points == 0 ? (int) (max - min) + 1 : points;
            for (int i = 0; i < count; i++) {
                double value = from() + width() * i / (count - 1);
                double number = log ? Math.exp(value) : value;
                JsonNode node = whole ? whole(Math.round(number)) : DoubleNode.valueOf(rounded(number));
                if (!values.contains(node)) {
                    values.add(node);
                }
            }
            return values;
        }

        /** Without the last digits, which are roundings. */
        private static double rounded(double number) {
            return Double.parseDouble(String.format(java.util.Locale.ROOT, "%.12g", number));
        }

        @Override
        public List<JsonNode> samples() {
            return List.of(at(0), at(1 - 1e-12));
        }
    }
}

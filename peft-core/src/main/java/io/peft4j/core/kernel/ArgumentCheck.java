package io.peft4j.core.kernel;

import io.peft4j.core.array.Arrays;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the arrays that an operation gets must be, as its documentation has them: {@code "x[N,I] a[r,I] h[N,r]f"}. All
 * are contiguous in c order, FLOAT or BFLOAT16, and FLOAT alone with an {@code f} behind them. Two letters are a
 * matrix, one is the number of elements of an array of any rank. A letter stands for the size that is given for it,
 * else for that of the first array that has it; {@code _} for any. An array with {@code ?} behind its name may be left
 * out, as null.
 *
 * <p>A mismatch is an {@link IllegalArgumentException} that names the operation and the shapes; kernels that read raw
 * memory are safe behind it.
 */
final class ArgumentCheck {
    private static final Pattern ARGUMENT = Pattern.compile("(\\w+)(\\??)\\[(\\w)(?:,(\\w))?](f?)");
    private static final int ANY = 0;

    private final String operation;
    /** The letters, first that for any size, then those that are given. */
    private final StringBuilder letters = new StringBuilder("_");
    private final List<Argument> arguments = new ArrayList<>();
    private final List<Pair> pairs = new ArrayList<>();

    /** A matrix of sizes by number of letter, or a vector if its columns have none. */
    private record Argument(String name, boolean optional, int rows, OptionalInt columns, boolean floats) {
    }

    /** A result and another argument whose memory it must not share, or, where it may be the same, not in part. */
    private record Pair(int result, int other, boolean mayBeSame) {
    }

    /**
     * The arrays of an operation.
     *
     * @param given the letters whose sizes are given to {@link #of(long[], INDArray...)}
     * @param arrays the arrays, each as the class says
     */
    ArgumentCheck(String operation, String given, String arrays) {
        this.operation = operation;
        given.chars().forEach(this::number);
        for (String argument : arrays.split(" ")) {
            Matcher parts = ARGUMENT.matcher(argument);
            if (!parts.matches()) {
                throw new IllegalArgumentException(argument);
            }
            int rows = number(parts.group(3).charAt(0));
            arguments.add(new Argument(parts.group(1), !parts.group(2).isEmpty(), rows, parts.group(4) == null
                    ? OptionalInt.empty() : OptionalInt.of(number(parts.group(4).charAt(0))),
                    !parts.group(5).isEmpty()));
        }
    }

    private int number(int letter) {
        int known = letters.indexOf(Character.toString(letter));
        if (known < 0) {
            letters.appendCodePoint(letter);
        }
        return known < 0 ? letters.length() - 1 : known;
    }

    /** With results, by name, that share no memory with each of the others. */
    ArgumentCheck apart(String results, String others) {
        return with(results, others, false);
    }

    /** With results, by name, that share no memory with each of the others unless they are the same array. */
    ArgumentCheck sameOrApart(String results, String others) {
        return with(results, others, true);
    }

    private ArgumentCheck with(String results, String others, boolean mayBeSame) {
        List<String> names = arguments.stream().map(Argument::name).toList();
        Stream.of(results.split(" ")).map(names::indexOf).forEach(result -> Stream.of(others.split(" "))
                .map(names::indexOf).filter(other -> !other.equals(result))
                .forEach(other -> pairs.add(new Pair(result, other, mayBeSame))));
        return this;
    }

    static long[] sizes(long... sizes) {
        return sizes;
    }

    /** Checks arrays where no size is given. */
    void of(INDArray... arrays) {
        of(new long[0], arrays);
    }

    /** Checks arrays, in the order in which they are declared. */
    void of(long[] sizes, INDArray... arrays) {
        long[] known = new long[letters.length()];
        java.util.Arrays.fill(known, -1);
        System.arraycopy(sizes, 0, known, 1, sizes.length);
        for (int i = 0; i < arrays.length; i++) {
            Argument argument = arguments.get(i);
            if (arrays[i] != null) {
                check(argument, arrays[i], known);
            } else if (!argument.optional) {
                throw new NullPointerException(operation + ": " + argument.name);
            }
        }
        for (Pair pair : pairs) {
            INDArray result = arrays[pair.result];
            INDArray other = arrays[pair.other];
            if (result != null && other != null && (!pair.mayBeSame || Arrays.address(result) != Arrays.address(other)
                    || result.dataType() != other.dataType())) {
                apart(operation, result, other);
            }
        }
    }

    private void check(Argument argument, INDArray array, long[] known) {
        requireContiguous(argument.name, array);
        long rows = known[argument.rows];
        if (argument.columns.isEmpty()) {
            if (rows >= 0 && array.length() != rows) {
                throw new IllegalArgumentException(operation + ": " + argument.name + " must have " + rows
                        + " elements, got " + shape(array));
            }
            known[argument.rows] = array.length();
        } else {
            int letter = argument.columns.getAsInt();
            long columns = known[letter];
            if (array.rank() != 2 || rows >= 0 && array.size(0) != rows || columns >= 0 && array.size(1) != columns) {
                throw new IllegalArgumentException(operation + ": " + argument.name + " must be ["
                        + (rows < 0 ? "any" : rows) + ", " + (columns < 0 ? "any" : columns) + "], got "
                        + shape(array));
            }
            known[argument.rows] = array.size(0);
            known[letter] = array.size(1);
        }
        known[ANY] = -1;
        if (argument.floats && array.dataType() != DataType.FLOAT) {
            throw new IllegalArgumentException(operation + ": " + argument.name + " must be FLOAT, got "
                    + array.dataType());
        }
    }

    private void requireContiguous(String name, INDArray array) {
        DataType type = array.dataType();
        if (type != DataType.FLOAT && type != DataType.BFLOAT16) {
            throw new IllegalArgumentException(operation + ": " + name + " must be FLOAT or BFLOAT16, got " + type);
        }
        long stride = 1;
        for (int d = array.rank() - 1; d >= 0; d--) {
            long size = array.size(d);
            if (size != 1 && array.stride(d) != stride) {
                throw new IllegalArgumentException(operation + ": " + name + " must be contiguous in c order, got "
                        + shape(array) + " with strides " + java.util.Arrays.toString(array.stride()));
            }
            stride *= size;
        }
    }

    /** Refuses arrays that share memory. */
    static void apart(String operation, INDArray result, INDArray other) {
        long start = Arrays.address(result);
        long otherStart = Arrays.address(other);
        if (start < otherStart + other.length() * Arrays.bytes(other.dataType())
                && otherStart < start + result.length() * Arrays.bytes(result.dataType())) {
            throw new IllegalArgumentException(operation + ": a result shares memory with another argument");
        }
    }

    static String shape(INDArray array) {
        return java.util.Arrays.toString(array.shape());
    }
}

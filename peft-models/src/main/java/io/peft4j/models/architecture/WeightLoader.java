package io.peft4j.models.architecture;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.RowProducts;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FourBitEncoder;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.WeightType.Blocks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Takes the tensors of a checkpoint by their Hugging Face names, checks their shapes and converts them to the type that
 * the model computes with. Owns what it has made until the network takes it over with {@link #takeOwnership()}, which
 * converts all matrices at once on several threads: their values are there only after that.
 */
public final class WeightLoader implements AutoCloseable {
    /** Elements that one conversion reads: few enough that all threads have work to the end. */
    private static final long PIECE = 1 << 20;
    /** Of values that are used where they lie in a file. */
    private static final int ALIGNMENT = 8;

    private final FiniteTensors store;
    private final WeightType type;
    private final int threads;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final List<Runnable> conversions = new ArrayList<>();
    private final Set<String> used = new TreeSet<>();
    private boolean readsFile;
    private boolean mapped;
    private Optional<TensorStore> ready = Optional.empty();
    private final Map<String, INDArray> converted = new LinkedHashMap<>();

    /** A loader that converts on as many threads as kernels use by default. */
    public WeightLoader(TensorStore store, WeightType type) {
        this(store, type, KernelSelection.defaultThreads());
    }

    /**
     * A loader.
     *
     * @param store tensors under Hugging Face names; taken over, and closed as soon as no weight reads it
     * @param type what matrices are converted to
     * @param threads threads that convert, at least 1
     */
    public WeightLoader(TensorStore store, WeightType type, int threads) {
        this.store = new FiniteTensors(Objects.requireNonNull(store, "store"));
        this.type = Objects.requireNonNull(type, "type");
        this.threads = threads;
        owned.add(this.store);
    }

    /**
     * Leaves matrices of floats where they lie in a file, as far as they have the type that is wanted: processes of a
     * machine then have them once.
     *
     * @param others matrices by the same names that a former load has {@linkplain #converted() converted}; taken over
     * @return this
     */
    public WeightLoader mapped(Optional<? extends TensorStore> others) {
        mapped = true;
        ready = others.map(store -> store);
        ready.ifPresent(owned::add);
        return this;
    }

    /** The matrices that were {@linkplain #mapped to be left} in a file and lie in none in their type, by name. */
    public Map<String, INDArray> converted() {
        return Collections.unmodifiableMap(converted);
    }

    /** The type of large activations that goes with the weights. */
    public DataType activationType() {
        return type.activations();
    }

    /** Whether the checkpoint has a tensor of this name. */
    public boolean has(String name) {
        return store.names().contains(name);
    }

    /** Whether the checkpoint has a tensor of this name and shape. */
    public boolean has(String name, long... shape) {
        return has(name) && java.util.Arrays.equals(store.shape(name), shape);
    }

    /** A small matrix [rows, columns] as floats, whose values are there at once. */
    public FrozenWeight floats(String name, int rows, int columns) {
        check(name, rows, columns);
        INDArray values = made(rows, columns);
        store.readF32(name, Arrays.address(values));
        FrozenWeight weight = new DenseWeight(values);
        owned.add(weight);
        return weight;
    }

    /** A matrix [rows, columns] that no checkpoint has, FLOAT, of normally distributed values around 0. */
    public FrozenWeight normal(int rows, int columns, double deviation, RandomGenerator random) {
        float[] values = new float[Math.multiplyExact(rows, columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return given(values, rows, columns);
    }

    /** A matrix [rows, columns] of values from elsewhere, FLOAT. */
    public FrozenWeight given(float[] values, int rows, int columns) {
        INDArray array = made(rows, columns);
        Arrays.write(array, 0, values, 0, values.length);
        FrozenWeight weight = new DenseWeight(array);
        owned.add(weight);
        return weight;
    }

    /** A vector that no checkpoint has, of equal values. */
    public INDArray constant(int length, float value) {
        float[] values = new float[length];
        java.util.Arrays.fill(values, value);
        return given(values);
    }

    /** A vector of values from elsewhere. */
    public INDArray given(float... values) {
        INDArray array = made(values.length);
        Arrays.write(array, 0, values, 0, values.length);
        owned.add(array);
        return array;
    }

    private static INDArray made(long... shape) {
        return Nd4j.createUninitializedDetached(DataType.FLOAT, shape);
    }

    /** A matrix [rows, columns] that is not a linear layer's of a block: an embedding or output layer. */
    public FrozenWeight matrix(String name, int rows, int columns) {
        return take(name, rows, columns, false);
    }

    /**
     * A table [rows, columns] that is large, and of which a pass reads few rows: it stays where it lies in the file, in
     * the type it has there. Its values are not looked at before they are read.
     */
    public FrozenWeight lookedUp(String name, int rows, int columns) {
        check(name, rows, columns);
        BlockType stored = storedType(name);
        OptionalLong address = store.address(name);
        if (address.isEmpty() || columns % stored.blockSize() != 0) {
            return matrix(name, rows, columns);
        }
        readsFile = true;
        FrozenWeight weight = new BlockWeight(stored, rows, columns, address.getAsLong(), store);
        owned.add(weight);
        return weight;
    }

    /** The matrix [rows, columns] of a linear layer, which may be quantized. */
    public FrozenWeight linear(String name, int rows, int columns) {
        return take(name, rows, columns, true);
    }

    /** Fills a part of a matrix that is put together from several tensors. */
    @FunctionalInterface
    public interface Filler {
        /** Reads from {@code tensors} and writes into {@code target}. */
        void fill(TensorStore tensors, INDArray target);
    }

    /**
     * A matrix [rows, columns] that is put together from several tensors.
     *
     * @param kept its type
     * @param fillers read tensors that were {@linkplain #require asked for}; they run later, on several threads
     */
    public INDArray assembled(DataType kept, int rows, int columns, List<Filler> fillers) {
        INDArray values = Nd4j.createUninitializedDetached(kept, rows, columns);
        owned.add(values);
        fillers.forEach(filler -> conversions.add(() -> filler.fill(store, values)));
        return values;
    }

    /**
     * Some rows of a matrix, which the checkpoint holds with others.
     *
     * @param all the rows of the tensor
     * @param first the first of them
     * @param rows how many
     */
    public FrozenWeight part(String name, int all, int first, int rows, int columns) {
        check(name, all, columns);
        return new DenseWeight(assembled(type.activations(), rows, columns, List.of((tensors, target) -> {
            float[] row = new float[columns];
            for (int i = 0; i < rows; i++) {
                tensors.readFloats(name, (long) (first + i) * columns, row, 0, columns);
                Arrays.write(target, (long) i * columns, row, 0, columns);
            }
        })));
    }

    /**
     * Asks for a tensor of the checkpoint.
     *
     * @throws FileFormatException when there is none of this name, or its shape is another one
     */
    public void require(String name, long... shape) {
        check(name, shape);
    }

    /**
     * The matrix [out, in] of a linear layer that the checkpoint holds as its transpose [in, out].
     *
     * @param out output features
     * @param in input features
     */
    public FrozenWeight transposedLinear(String name, int out, int in) {
        check(name, in, out);
        FrozenWeight weight = new TransposedMatrix(store, conversions).read(name, out, in, type);
        owned.add(weight);
        return weight;
    }

    private FrozenWeight take(String name, int rows, int columns, boolean linear) {
        check(name, rows, columns);
        BlockType stored = storedType(name);
        boolean kept = type.blocks() == Blocks.KEPT || linear && type.blocks() == Blocks.KEPT_IN_LINEAR;
        FrozenWeight weight = kept && stored.isQuantized() && columns % stored.blockSize() == 0
                ? blocks(name, stored, rows, columns)
                : linear ? quantized(name, rows, columns) : dense(name, rows, columns);
        owned.add(weight);
        return weight;
    }

    private BlockType storedType(String name) {
        return store.blockType(name).orElseThrow(() -> new FileFormatException(store.path(),
                "tensor '" + name + "' has an unsupported type; supported are "
                        + java.util.Arrays.toString(BlockType.values())));
    }

    private FrozenWeight quantized(String name, int rows, int columns) {
        if (type.linear() == WeightType.Linear.DENSE) {
            return dense(name, rows, columns);
        }
        Quantization quantization = new Quantization(store, conversions);
        if (type.linear() == WeightType.Linear.FOUR_BIT && columns % FourBitEncoder.TYPE.blockSize() == 0) {
            return quantization.fourBit(name, rows, columns,
                    memory(FourBitEncoder.TYPE.bytes((long) rows * columns)));
        }
        return quantization.int8(name, rows, columns);
    }

    private NativeBlock memory(long bytes) {
        NativeBlock block = new NativeBlock(bytes);
        owned.add(block);
        return block;
    }

    /** A vector, always as floats: norms and biases are small and precision matters. */
    public INDArray vector(String name, int length) {
        check(name, length);
        INDArray values = Nd4j.createUninitializedDetached(DataType.FLOAT, length);
        store.readF32(name, Arrays.address(values));
        owned.add(values);
        return values;
    }

    /** A tensor of any shape as a matrix [rows, columns], always as floats, as {@link #vector}. */
    public INDArray floats(String name, long[] shape, int rows, int columns) {
        check(name, shape);
        INDArray values = Nd4j.createUninitializedDetached(DataType.FLOAT, rows, columns);
        store.readF32(name, Arrays.address(values));
        owned.add(values);
        return values;
    }

    /** A vector, or empty where it is not {@code wanted}. */
    public Optional<INDArray> vector(String name, int length, boolean wanted) {
        return wanted ? Optional.of(vector(name, length)) : Optional.empty();
    }

    /** Names of tensors that were not requested. */
    public List<String> unused() {
        return store.names().stream().filter(n -> !used.contains(n)).toList();
    }

    /**
     * Converts the matrices, and hands over everything made so far; the caller closes it from now on. The file is
     * closed here unless weights read it in place.
     *
     * @throws FileFormatException when values cannot be read; this loader still owns everything then
     */
    public List<AutoCloseable> takeOwnership() {
        ParallelTasks.run(conversions, threads);
        conversions.clear();
        if (!readsFile && owned.remove(store)) {
            store.close();
        }
        NativeMemory.trim();
        List<AutoCloseable> all = List.copyOf(owned);
        owned.clear();
        return all;
    }

    /** Closes what was not taken over: after a failed load, everything. */
    @Override
    public void close() {
        CloseAll.all(owned);
        owned.clear();
    }

    private FrozenWeight dense(String name, int rows, int columns) {
        INDArray values = values(name, rows, columns);
        BlockType stored = storedType(name);
        boolean read = values.dataType() == DataType.FLOAT && RowProducts.BLOCKS.contains(stored)
                && columns % stored.blockSize() == 0;
        return new DenseWeight(values, read ? Optional.of(blocks(name, stored, rows, columns)) : Optional.empty());
    }

    private INDArray values(String name, int rows, int columns) {
        Optional<INDArray> there = mapped ? inFile(name, rows, columns) : Optional.empty();
        if (there.isPresent()) {
            return there.get();
        }
        INDArray values = Nd4j.createUninitializedDetached(type.activations(), rows, columns);
        if (mapped) {
            converted.put(name, values);
        }
        long address = Arrays.address(values);
        boolean narrow = type.activations() == DataType.BFLOAT16;
        if (store.blockType(name).equals(Optional.of(narrow ? BlockType.BF16 : BlockType.F32))) {
            conversions.add(() -> store.copyBytes(name, address));
            return values;
        }
        for (long first = 0; first < values.length(); first += PIECE) {
            long from = first;
            long count = Math.min(PIECE, values.length() - from);
            long target = address + from * Arrays.bytes(type.activations());
            conversions.add(narrow ? () -> store.readBf16(name, from, count, target)
                    : () -> store.readF32(name, from, count, target));
        }
        return values;
    }

    private Optional<INDArray> inFile(String name, int rows, int columns) {
        if (ready.isPresent()) {
            Optional<INDArray> found = inFile(ready.get(), name, rows, columns);
            if (found.isPresent()) {
                return found;
            }
        }
        Optional<INDArray> found = inFile(store, name, rows, columns);
        if (found.isPresent()) {
            readsFile = true;
            conversions.add(() -> store.check(name));
        }
        return found;
    }

    private Optional<INDArray> inFile(TensorStore file, String name, int rows, int columns) {
        BlockType wanted = type.activations() == DataType.BFLOAT16 ? BlockType.BF16 : BlockType.F32;
        boolean fits = file.names().contains(name) && file.blockType(name).equals(Optional.of(wanted))
                && java.util.Arrays.equals(file.shape(name), new long[] {rows, columns});
        OptionalLong address = fits ? file.address(name) : OptionalLong.empty();
        return address.isEmpty() || address.getAsLong() % ALIGNMENT != 0 ? Optional.empty()
                : Optional.of(Arrays.at(address.getAsLong(), type.activations(), rows, columns));
    }

    private BlockWeight blocks(String name, BlockType stored, int rows, int columns) {
        OptionalLong mapped = store.address(name);
        if (mapped.isPresent()) {
            readsFile = true;
            conversions.add(() -> store.check(name));
            return new BlockWeight(stored, rows, columns, mapped.getAsLong(), store);
        }
        NativeBlock copy = memory(store.length(name));
        conversions.add(() -> store.copyBytes(name, copy.address()));
        return new BlockWeight(stored, rows, columns, copy.address(), copy);
    }

    private void check(String name, long... shape) {
        if (!has(name)) {
            throw new FileFormatException(store.path(), "tensor '" + name + "' is missing; "
                    + SimilarNames.sentence(name, store.names()));
        }
        if (!java.util.Arrays.equals(store.shape(name), shape)) {
            throw new FileFormatException(store.path(), "tensor '" + name + "' has the shape "
                    + java.util.Arrays.toString(store.shape(name)) + "; the configuration asks for "
                    + java.util.Arrays.toString(shape));
        }
        used.add(name);
    }
}

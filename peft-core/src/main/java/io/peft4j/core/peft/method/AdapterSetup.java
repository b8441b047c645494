package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.CalibrationBatches;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a method makes an adapter with: the base model, and the source of the tensors' values, which is either their
 * initializers (a new adapter) or a file (a stored one). A method asks for its tensors here and does not care which.
 *
 * <p>Where a file has no tensor of the name and shape that is asked for, nothing of that size is allocated: the problem
 * is noted, a tensor with one element takes its place, and the whole adapter is refused when the method is done.
 */
public final class AdapterSetup {
    private final BaseLanguageModel base;
    private final RandomGenerator random;
    private final @Nullable StoredTensors stored;
    /** What was stored for training beside the adapter; null where nothing was. */
    private final @Nullable StoredTensors training;
    private final Optional<CalibrationBatches> calibration;
    private final List<AdapterTensor> made = new ArrayList<>();
    private final List<Adapter> parts = new ArrayList<>();
    private Function<Path, Adapter> loader = folder -> {
        throw new IllegalStateException("nothing can be loaded here");
    };
    private Optional<Path> folder = Optional.empty();
    /** How many layers get what a layer of the adapter gets, as far as is known. */
    private int places = 1;

    private AdapterSetup(BaseLanguageModel base, RandomGenerator random, @Nullable StoredTensors stored,
            @Nullable StoredTensors training, Optional<CalibrationBatches> calibration) {
        this.calibration = calibration;
        this.base = Objects.requireNonNull(base, "base");
        this.random = Objects.requireNonNull(random, "random");
        this.stored = stored;
        this.training = training;
    }

    /** The tensors of a file. */
    public interface StoredTensors {
        /** Whether there is a tensor of this key and shape; if not, the mismatch is noted. */
        boolean offers(String key, long[] shape);

        /** Reads the tensor, transposed where asked. */
        void read(String key, boolean transposed, INDArray target);

        /** Whether everything was there so far. */
        default boolean fits() {
            return true;
        }

        /** The integers of a tensor; empty where it is not there as asked for, which is noted. */
        default int[] integers(String key, int[] bounds, long[] shape) {
            return new int[0];
        }

        /** The shape of a tensor; empty where it is not there. */
        default Optional<long[]> shape(String key) {
            return Optional.empty();
        }

        /** Notes a mismatch where the tensor holds other values. */
        default void requireEqual(String key, INDArray values) {
        }
    }

    /** For a new adapter; {@code calibration} where its values are computed from data. */
    public static AdapterSetup creating(BaseLanguageModel base, RandomGenerator random,
            Optional<CalibrationBatches> calibration) {
        return new AdapterSetup(base, random, null, null, calibration);
    }

    /** For an adapter from a file. */
    public static AdapterSetup restoring(BaseLanguageModel base, StoredTensors stored) {
        return restoring(base, stored, Optional.empty());
    }

    /**
     * For an adapter from a file; {@code training} holds what is for training only, if there is such a file.
     */
    public static AdapterSetup restoring(BaseLanguageModel base, StoredTensors stored,
            Optional<? extends StoredTensors> training) {
        return new AdapterSetup(base, new SplittableRandom(0), Objects.requireNonNull(stored, "stored"),
                training.orElse(null),
                Optional.empty());
    }

    /**
     * The same, for adapters that are made of others.
     *
     * @param from the folder of the adapter, where it comes from one
     * @param loading loads an adapter for the same model from a folder
     */
    public AdapterSetup loadingParts(Optional<Path> from, Function<Path, Adapter> loading) {
        folder = from;
        loader = loading;
        return this;
    }

    /** The folder that the adapter comes from. */
    public Optional<Path> folder() {
        return folder;
    }

    /**
     * Another adapter from a folder, as a part of the one that is made.
     *
     * @throws io.peft4j.core.error.PeftException when it is damaged or does not fit the model
     */
    public Adapter part(Path from) {
        Adapter part = loader.apply(from);
        parts.add(part);
        return part;
    }

    /** The base model. */
    public BaseLanguageModel base() {
        return base;
    }

    /** The network of the base model. */
    @Internal
    public Network network() {
        return base.network();
    }

    /** Says how many layers the adapter has: one that the machine has no memory for is refused before it is made. */
    void willHave(int layers) {
        places = Math.max(1, layers);
    }

    /** The source of randomness of a new adapter. */
    public RandomGenerator random() {
        return random;
    }

    /**
     * The data that a new adapter's first values are computed from.
     *
     * @param asker the setting that asks for it, for the message
     * @throws ConfigurationException where none was given
     */
    public CalibrationBatches calibration(String asker) {
        return calibration.orElseThrow(() -> new ConfigurationException(asker + " initializes adapters from "
                + "data; pass batches of training data: base.withAdapter(config, Calibration.of(examples, "
                + "batchSize, batches))"));
    }

    /**
     * Whether the values come from a file. Then a target that matches nothing is not an error: Hugging Face PEFT writes
     * files with such targets, and the tensors in the file say what is adapted.
     */
    public boolean isRestoring() {
        return stored != null;
    }

    /**
     * Whether all tensors so far hold their values. Where not, the adapter is going to be refused, and nothing may be
     * computed from its tensors.
     */
    public boolean fits() {
        return (stored == null || stored.fits()) && (training == null || training.fits());
    }

    /** Whether the tensors for training are there: in a new adapter, and where they were stored. */
    public boolean hasTrainingTensors() {
        return stored == null || training != null;
    }

    /**
     * A tensor of the layer at {@code slot}.
     *
     * @param slot the place
     * @param name the name in the file after the place's path and a dot, for instance {@code lora_A.weight}
     * @param initializer its first values in a new adapter
     * @param shape its dimensions
     */
    public AdapterTensor tensor(Slot slot, String name, Initializer initializer, long... shape) {
        requireRoom(key(slot, name), places, shape);
        return make(key(slot, name), name, initializer, false, shape);
    }

    /**
     * As {@link #tensor}, held as the transpose of what the file holds.
     *
     * @param initializer its first values in a new adapter; fills the transpose
     * @param rows first dimension in the file, the second one in memory
     * @param columns second dimension in the file, the first one in memory
     */
    public AdapterTensor transposedTensor(Slot slot, String name, Initializer initializer, long rows, long columns) {
        requireRoom(key(slot, name), places, rows, columns);
        return make(key(slot, name), name, initializer, true, rows, columns);
    }

    /**
     * A tensor that belongs to no layer.
     *
     * @param key the whole key in the file
     */
    public AdapterTensor sharedTensor(String key, Initializer initializer, long... shape) {
        requireRoom(key, 1, shape);
        return make(key, key, initializer, false, shape);
    }

    /**
     * As {@link #sharedTensor(String, Initializer, long...)}, which another program wrote into another file.
     *
     * @param other that file
     * @param written the key in it
     */
    public AdapterTensor sharedTensor(StoredTensors other, String written, String key, long... shape) {
        return make(other, written, key, key, Initializer.ZEROS, false, shape);
    }

    /**
     * A tensor that belongs to no layer and is {@linkplain AdapterTensor#forTraining() for training} only.
     *
     * @throws IllegalStateException where there are none ({@link #hasTrainingTensors})
     */
    public AdapterTensor trainingTensor(String key, Initializer initializer, long... shape) {
        if (!hasTrainingTensors()) {
            throw new IllegalStateException("nothing was stored for training");
        }
        return make(training, key, key, key, initializer, false, shape).forTraining();
    }

    /**
     * Integers of the layer at {@code slot} from a file, which choose what the layer changes. They are written again by
     * {@link Adapter#computedTensors}.
     *
     * @param name the name in the file after the place's path and a dot
     * @param bounds for each row of the tensor what its values must be below; they must not be negative
     * @param shape its dimensions
     * @return the values, or an empty array where the file has none such and the adapter is going to be refused
     * @throws IllegalStateException in a new adapter
     */
    public int[] storedIntegers(Slot slot, String name, int[] bounds, long... shape) {
        return storedIntegers(key(slot, name), bounds, shape);
    }

    /** As {@link #storedIntegers(Slot, String, int[], long...)}, of no layer: {@code key} is the whole key. */
    public int[] storedIntegers(String key, int[] bounds, long... shape) {
        if (stored == null) {
            throw new IllegalStateException("a new adapter has no file");
        }
        return stored.integers(key, bounds, shape);
    }

    /**
     * The shape that a file gives a tensor of the layer at {@code slot}, for a method whose files may differ from
     * what their configuration says; empty in a new adapter, and where the file has no such tensor.
     */
    public Optional<long[]> storedShape(Slot slot, String name) {
        return storedShape(key(slot, name));
    }

    /** As {@link #storedShape(Slot, String)}, of no layer: {@code key} is the whole key. */
    public Optional<long[]> storedShape(String key) {
        return stored == null ? Optional.empty() : stored.shape(key);
    }

    /** The key in the file of a tensor of the layer at {@code slot}. */
    public static String key(Slot slot, String name) {
        return key(slot.path(), name);
    }

    /** The key in the file of a tensor of the layer at a path. */
    public static String key(String path, String name) {
        return "base_model.model." + path + "." + name;
    }

    /**
     * A second layer's use of a tensor, which the file holds once more.
     *
     * @param slot the second layer's place
     * @return the same tensor, neither trained nor counted a second time
     */
    public AdapterTensor again(Slot slot, AdapterTensor original) {
        String key = key(slot, original.name());
        if (stored != null && stored.offers(key, original.fileShape())) {
            stored.requireEqual(key, original.parameter().value());
        }
        return original.inPlaceOfBase().frozen();
    }

    /**
     * A tensor that a file must have and nothing computes with, such as one without elements or one that repeats
     * another.
     *
     * @return its key in the file
     */
    public String idleTensor(Slot slot, String name, long... shape) {
        String key = key(slot, name);
        if (stored != null) {
            stored.offers(key, shape);
        }
        return key;
    }

    /** In a new adapter; a file was written by a process that had the memory. */
    private void requireRoom(String key, int times, long... shape) {
        double bytes = 1.0 * times * Float.BYTES;
        for (long size : shape) {
            bytes *= size;
        }
        long limit = ProcessUsage.memoryLimitBytes();
        if (!isRestoring() && bytes > limit) {
            throw new ConfigurationException(String.format(Locale.ROOT, "not enough memory for the adapter: %s "
                    + "has the shape %s, %s%.1f GB of %.1f GB available; use a smaller rank or number of tokens, or "
                    + "adapt fewer layers", key, java.util.Arrays.toString(shape),
                    times > 1 ? "in " + times + " layers " : "",
                    bytes / 1e9, limit / 1e9));
        }
    }

    private AdapterTensor make(String key, String name, Initializer initializer, boolean transposed, long... shape) {
        return make(stored, key, key, name, initializer, transposed, shape);
    }

    private AdapterTensor make(@Nullable StoredTensors source, String written, String key, String name,
            Initializer initializer, boolean transposed, long... shape) {
        boolean present = source == null || source.offers(written, shape);
        long[] held = transposed ? new long[] {shape[1], shape[0]} : shape.clone();
        if (!present) {
            java.util.Arrays.fill(held, 1);
        }
        INDArray values = Arrays.zeros(DataType.FLOAT, held);
        AdapterTensor tensor = new AdapterTensor(name, new Parameter(key, values), transposed);
        made.add(tensor);
        if (source == null) {
            initializer.fill(values, random);
        } else if (present) {
            source.read(written, transposed, values);
        }
        return tensor;
    }

    /** Runs a method; where it fails, the tensors that it made are freed. */
    public <T> T run(Supplier<T> method) {
        try (Closer opened = new Closer()) {
            opened.add(() -> Closer.closeAll(parts));
            opened.add(() -> Closer.closeAll(made));
            T result = method.get();
            opened.keep();
            return result;
        }
    }
}

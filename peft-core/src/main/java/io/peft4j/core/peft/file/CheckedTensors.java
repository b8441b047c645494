package io.peft4j.core.peft.file;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.AdapterMismatchException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.safetensors.DType;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.TensorInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tensors of an adapter's file as a network of any kind asks for them, and the list of what does not fit. Ask
 * for what the configuration needs, look at what is {@linkplain #unasked() left}, then {@link #requireFit}.
 */
@Internal(shared = true)
public class CheckedTensors implements AdapterSetup.StoredTensors {
    /** What is wrong with an adapter whose base is another one, which is said before all else. */
    protected static final String OTHER_BASE = "made for another base model";
    private static final Logger LOG = LoggerFactory.getLogger(CheckedTensors.class);
    private static final String INSIDE = "language_model.";
    private static final int LONGEST_SENTENCE = 300;
    private static final Set<DType> REAL = Set.of(DType.F64, DType.F32, DType.F16, DType.BF16);
    /** A file of another method or model has hundreds of mismatches, which say the same. */
    private static final int MOST_LISTED = 10;

    private final SafetensorsFile file;
    /** The file's keys by what they are without {@value #INSIDE}. */
    private final Map<String, String> keys = new HashMap<>();
    private final Set<String> asked = new HashSet<>();
    private final Map<String, List<String>> mismatches = new LinkedHashMap<>();
    private boolean sizesDiffer;

    /** Of an open file, which stays the caller's to close. */
    public CheckedTensors(SafetensorsFile file) {
        this.file = file;
        file.names().forEach(key -> keys.put(plain(key), key));
    }

    /** A path or key as the decoder alone has it, where it may be inside of a model of text and images. */
    static String plain(String key) {
        int inside = key.indexOf(INSIDE);
        return inside < 0 ? key : key.substring(0, inside) + key.substring(inside + INSIDE.length());
    }

    /**
     * The configuration with targets of this network: an adapter of a decoder that was saved alone names other paths
     * than inside of a model of text and images.
     */
    PeftConfig named(PeftConfig config, Network network) {
        List<String> paths = network.slots().stream().map(Slot::path).toList();
        Optional<String> inside = file.names().stream().filter(key -> key.contains(INSIDE)).findFirst();
        if (!(config instanceof PlacedConfig placed) || placed.targetModules().isAllLinear()
                || inside.isPresent() == paths.stream().anyMatch(path -> path.contains(INSIDE))) {
            return config;
        }
        // The path of the decoder's layers in the file, which a key of one of them tells.
        UnaryOperator<String> inFile = path -> {
            String plain = plain(path);
            return inside.isEmpty() || !plain.startsWith("model.") ? plain : "model." + INSIDE + plain.substring(6);
        };
        Placement placement = placed.placement();
        Predicate<String> targets = placement.targetModules().matcher("target_modules");
        Predicate<String> excluded = placement.excludeModules().matcher("exclude_modules");
        List<String> meant = paths.stream().filter(path -> targets.test(inFile.apply(path))
                && !excluded.test(inFile.apply(path))).toList();
        return meant.equals(paths.stream().filter(targets.and(excluded.negate())).toList()) ? config
                : PlacedConfig.with(placed, new Placement(TargetModules.of(meant), TargetModules.UNSET,
                        placement.layersToTransform(), placement.layersPattern(), placement.modulesToSave(),
                        placement.bias()));
    }

    /** The file's own name of a tensor: a decoder inside a model of text and images may have been saved alone. */
    protected String stored(String key) {
        return file.tensors().containsKey(key) ? key : keys.getOrDefault(plain(key), key);
    }

    /** The file. */
    protected SafetensorsFile file() {
        return file;
    }

    @Override
    public boolean offers(String path, long[] shape) {
        String key = stored(path);
        asked.add(key);
        TensorInfo info = file.tensors().get(key);
        if (info == null) {
            note("missing", key + " " + java.util.Arrays.toString(shape));
            return false;
        }
        if (!java.util.Arrays.equals(info.shape(), shape)) {
            note("wrong shape", key + " is " + java.util.Arrays.toString(info.shape()) + ", must be "
                    + java.util.Arrays.toString(shape));
            sizesDiffer = true;
            return false;
        }
        if (!isReal(info)) {
            note("wrong type", key + " holds " + info.typeName() + ", must be one of F32, BF16, F16, F64");
            return false;
        }
        return true;
    }

    @Override
    public void read(String path, boolean transposed, INDArray target) {
        String key = stored(path);
        if (transposed) {
            float[] values = Arrays.transposed(file.readFloats(key), Arrays.columns(target), Arrays.rows(target));
            Arrays.write(target, 0, values, 0, values.length);
        } else {
            file.readF32(key, Arrays.address(target));
        }
        if (!Arrays.isFinite(target)) {
            note("not finite", key + " holds NaN or infinite values; its training diverged");
        }
    }

    @Override
    public Optional<long[]> shape(String key) {
        return Optional.ofNullable(file.tensors().get(stored(key))).map(TensorInfo::shape);
    }

    @Override
    public int[] integers(String path, int[] bounds, long[] shape) {
        String key = stored(path);
        asked.add(key);
        TensorInfo info = file.tensors().get(key);
        boolean fits = info != null && java.util.Arrays.equals(info.shape(), shape)
                && DType.of(info.typeName()).filter(type -> type == DType.I32 || type == DType.I64).isPresent();
        if (!fits) {
            note(info == null ? "missing" : "wrong shape or type", key + " must be I32 or I64 "
                    + java.util.Arrays.toString(shape));
            return new int[0];
        }
        ByteBuffer buffer = file.bytes(key).order(ByteOrder.LITTLE_ENDIAN);
        boolean wide = DType.of(info.typeName()).get() == DType.I64;
        int[] values = new int[buffer.remaining() / (wide ? Long.BYTES : Integer.BYTES)];
        int columns = values.length / bounds.length;
        for (int i = 0; i < values.length; i++) {
            long value = wide ? buffer.getLong() : buffer.getInt();
            if (value < 0 || value >= bounds[i / columns]) {
                note("out of range", key + " holds " + value + ", must be from 0 to " + (bounds[i / columns] - 1));
                return new int[0];
            }
            values[i] = (int) value;
        }
        return values;
    }

    @Override
    public void requireEqual(String key, INDArray values) {
        if (!java.util.Arrays.equals(file.readFloats(stored(key)), Arrays.toFloats(values))) {
            note("different but must be equal", key + " and the tensor it repeats");
        }
    }

    @Override
    public boolean fits() {
        return mismatches.isEmpty();
    }

    /** The tensors that were not read. */
    public List<TensorInfo> unasked() {
        return file.tensors().values().stream().filter(info -> !asked.contains(info.name())).toList();
    }

    /** Whether a tensor holds floating-point numbers. */
    protected static boolean isReal(TensorInfo info) {
        return DType.of(info.typeName()).filter(REAL::contains).isPresent();
    }

    /** Adds to the list of what does not fit. */
    public void note(String kind, String entry) {
        mismatches.computeIfAbsent(kind, k -> new ArrayList<>()).add(entry);
    }

    /** Looks at what the adapter was made for; what is not fatal goes to the log. */
    public void compare(List<AdapterProvenance.Mismatch> mismatchesOfBase) {
        for (AdapterProvenance.Mismatch mismatch : mismatchesOfBase) {
            if (mismatch.fatal()) {
                note(OTHER_BASE, mismatch.explanation());
            } else {
                LOG.warn("{}: {}", file.path().resolveSibling(AdapterProvenance.FILE), mismatch.explanation());
            }
        }
    }

    /**
     * Throws if anything did not fit.
     *
     * @param config the adapter's configuration
     * @param model name of the network, for the message
     * @throws AdapterMismatchException with the whole list
     */
    public void requireFit(PeftConfig config, String model) {
        if (!mismatches.isEmpty()) {
            throw new AdapterMismatchException(report(config, model));
        }
    }

    /** Its first line where the adapter is for another base: by what was noted, or by its sizes and the base's name. */
    private Optional<String> otherBase(Optional<String> madeFor, String model) {
        boolean named = madeFor.filter(name -> !name.substring(name.lastIndexOf('/') + 1).equals(model)).isPresent();
        if (!mismatches.containsKey(OTHER_BASE) && !(sizesDiffer && named)) {
            return Optional.empty();
        }
        String sentence = "for another base model: the adapter was made for " + madeFor.filter(name -> named)
                .map(name -> "'" + name + "'").orElse("other weights") + " and cannot be used with '" + model
                + "'; load it with its own base, or train one for this base";
        return Optional.of((sentence.length() <= LONGEST_SENTENCE ? sentence
                : sentence.substring(0, LONGEST_SENTENCE - 3) + "...") + "\n");
    }

    private String report(PeftConfig config, String model) {
        Optional<String> madeFor = config.common().baseModel();
        StringBuilder text = new StringBuilder(otherBase(madeFor, model).orElse("") + file.path()
                + " does not fit the model " + model + " and its own configuration:");
        mismatches.forEach((kind, entries) -> {
            text.append("\n  ").append(kind).append(" (").append(entries.size()).append("):");
            entries.stream().limit(MOST_LISTED).forEach(entry -> text.append("\n    ").append(entry));
            if (entries.size() > MOST_LISTED) {
                text.append("\n    and ").append(entries.size() - MOST_LISTED).append(" more");
            }
        });
        madeFor.ifPresent(name -> text.append("\n  Its configuration names the base '").append(name).append("'."));
        List<String> missing = mismatches.getOrDefault("missing", List.of());
        if (!missing.isEmpty() && mismatches.containsKey("not expected")) {
            String first = missing.get(0).substring(0, missing.get(0).indexOf(' '));
            text.append("\n  For ").append(first).append(", ").append(SimilarNames.sentence(first, file.names()))
                    .append('.');
        }
        return text.toString();
    }
}

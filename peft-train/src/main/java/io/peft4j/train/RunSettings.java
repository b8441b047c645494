package io.peft4j.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.file.AdapterProvenance;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.parallel.WorkerCollective;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What decides the course of a training, so that one which is resumed can be held to be the same: the base model, the
 * adapter's configuration, options, examples and kernels. Examples and weights stand as hashes.
 *
 * @param values by name, in a fixed order
 */
record RunSettings(Map<String, String> values) {
    private static final Logger LOG = LoggerFactory.getLogger(RunSettings.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Keys of an adapter's configuration that say where things lie, not what is computed. */
    private static final Set<String> NAMES_ONLY = Set.of("base_model_name_or_path", "revision", "inference_mode",
            "peft_version");
    private static final String NONE = "none";
    /** The most characters of a value that another worker has. */
    private static final int SHOWN = 60;

    public RunSettings {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** The settings of a training that is about to begin. */
    public static RunSettings of(TrainingTask task, List<Parameter> parameters) {
        PeftModel model = task.model();
        Objective<?> objective = task.objective();
        Map<String, String> values = task.options().settings();
        values.put("objective", objective.name());
        new TreeMap<>(objective.settings()).forEach((name, value) -> values.put("objective." + name, value));
        values.put("examples", hash(task.training().examples()));
        values.put("validation", task.validation().map(set -> hash(set.examples())).orElse(NONE));
        values.put("trainable_parameters", hashOfNames(parameters));
        values.put("adapters", model.activeAdapters().toString());
        model.activeAdapters().forEach(name -> values.putAll(configuration(model, name)));
        values.putAll(AdapterProvenance.identity(model.base()));
        values.putAll(new TreeMap<>(model.engine().identity()));
        return new RunSettings(values);
    }

    /** The same with more. */
    public RunSettings with(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>(values);
        all.putAll(more);
        return new RunSettings(all);
    }

    private static Map<String, String> configuration(PeftModel model, String adapter) {
        Map<String, String> values = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, JsonNode> field : JSON.readTree(model.adapter(adapter).config().toJson())
                    .properties()) {
                if (!NAMES_ONLY.contains(field.getKey())) {
                    values.put((adapter.equals(PeftModel.DEFAULT_ADAPTER) ? "" : adapter + ".") + field.getKey(),
                            field.getValue().toString());
                }
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a configuration writes itself as JSON", e);
        }
        return values;
    }

    /**
     * Checks that a training resumes as it began. Another processor is a warning: it rounds in another way, and is not
     * for the user to choose.
     *
     * @param begun the settings of its beginning
     * @param checkpoint their file
     * @throws ConfigurationException with everything that differs
     */
    public void requireSame(RunSettings begun, Path checkpoint) {
        String differences = differences(begun, "in the run ", Integer.MAX_VALUE);
        if (!differences.isEmpty()) {
            throw new ConfigurationException("cannot resume from " + checkpoint + ": settings differ: " + differences
                    + ". Use the same options, data, base and adapter, or start again in another folder");
        }
        if (!isOnSameProcessor(begun)) {
            LOG.warn("{} was computed on another processor ({}, here {}): the rest is the same up to rounding, not bit "
                    + "for bit", checkpoint, begun.values.get(Kernels.PROCESSOR), values.get(Kernels.PROCESSOR));
        }
    }

    /**
     * Checks that all workers train the same, from the same values.
     *
     * @throws ConfigurationException when one differs from the first; says in what
     */
    public void requireAgreement(WorkerCollective workers, PeftModel model) {
        if (workers.count() == 1) {
            return;
        }
        Map<String, String> own = new LinkedHashMap<>(values);
        model.activeAdapters().forEach(name -> own.put("values of the adapter '" + name + "'",
                model.fingerprint(name)));
        List<RunSettings> all = new ArrayList<>();
        try {
            for (byte[] said : workers.gather(JSON.writeValueAsBytes(own))) {
                all.add(new RunSettings(JSON.readValue(said, new TypeReference<Map<String, String>>() {
                })));
            }
        } catch (IOException e) {
            throw new ConfigurationException("a worker says something else than its settings: " + e.getMessage(), e);
        }
        for (int rank = 1; rank < all.size(); rank++) {
            all.get(rank).requireAgreement(workers.name(rank), all.get(0));
        }
    }

    private void requireAgreement(String worker, RunSettings first) {
        if (!isOnSameProcessor(first)) {
            LOG.warn("{} has another processor than the first ({}, the first {}): it rounds in another way", worker,
                    values.get(Kernels.PROCESSOR), first.values.get(Kernels.PROCESSOR));
        }
        String differences = differences(first, "for the first worker ", SHOWN);
        if (!differences.isEmpty()) {
            throw new ConfigurationException(worker + " trains something else than the first: " + differences
                    + ". Give all workers the same options, data, base and adapter");
        }
    }

    /** In what these settings differ from others, apart from the processor. */
    private String differences(RunSettings others, String where, int shown) {
        List<String> differences = new ArrayList<>();
        Set<String> names = new TreeSet<>(values.keySet());
        names.addAll(others.values.keySet());
        names.remove(Kernels.PROCESSOR);
        for (String name : names) {
            String here = values.getOrDefault(name, NONE);
            String there = others.values.getOrDefault(name, NONE);
            if (!here.equals(there)) {
                differences.add(name + " is " + inShort(here, shown) + ", " + where + inShort(there, shown)
                        + (name.equals(Kernels.BF16_PRODUCTS) ? " (-Dpeft4j.onednn.bf16=" + there + ")" : ""));
            }
        }
        return String.join("; ", differences);
    }

    /** Whether the same bits can be expected. */
    public boolean isOnSameProcessor(RunSettings begun) {
        return values.getOrDefault(Kernels.PROCESSOR, NONE).equals(begun.values.getOrDefault(Kernels.PROCESSOR, NONE));
    }

    /** Of a hash the beginning, which is enough to see that it is another. */
    private static String inShort(String value, int shown) {
        return value.matches("[0-9a-f]{64}") ? value.substring(0, 12)
                : value.length() > shown ? value.substring(0, shown) + "..." : value;
    }

    private static String hash(List<EncodedExample> examples) {
        Sha256 sha = new Sha256();
        for (EncodedExample example : examples) {
            example.sequences().forEach(sequence -> add(sha, sequence));
            // Next-token prediction has none, and keeps the hash that it had.
            if (example.targets().length > 0 || example.sequences().size() > 1) {
                sha.add(Arrays.toString(example.targets()) + example.weight());
            }
            example.sequences().stream().filter(sequence -> sequence.task() != TokenSequence.NO_TASK)
                    .forEach(sequence -> sha.add("task " + sequence.task()));
            if (example.part() > 0) {
                sha.add("part " + example.part());
            }
        }
        return sha.hex();
    }

    private static void add(Sha256 sha, TokenSequence sequence) {
        ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (2 + 2 * sequence.length()));
        bytes.putInt(sequence.length()).putInt(sequence.group());
        for (int i = 0; i < sequence.length(); i++) {
            bytes.putInt(sequence.ids()[i]).putFloat(sequence.weights()[i]);
        }
        sha.add(bytes.array());
        // Most sequences have neither, and keep the hash that they had.
        if (sequence.types().length + sequence.source().length > 0) {
            sha.add(Arrays.toString(sequence.types()) + Arrays.toString(sequence.source()));
        }
    }

    private static String hashOfNames(List<Parameter> parameters) {
        Sha256 sha = new Sha256();
        parameters.forEach(parameter -> sha.add(parameter.name() + Arrays.toString(parameter.value().shape())));
        return sha.hex();
    }
}

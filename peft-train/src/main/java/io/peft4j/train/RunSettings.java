package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What decides the course of a training, so that one which is resumed can be held to be the same: options, examples and
 * trainable parameters. Examples and parameters stand as hashes.
 *
 * @param values by name, in a fixed order
 */
record RunSettings(Map<String, String> values) {
    RunSettings {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** The settings of a training that is about to begin. */
    static RunSettings of(TrainingOptions options, List<TokenSequence> examples, List<Parameter> parameters,
            String rule) {
        Map<String, String> values = new LinkedHashMap<>();
        values.put("epochs", String.valueOf(options.epochs()));
        values.put("batch_size", String.valueOf(options.batchSize()));
        values.put("gradient_accumulation", String.valueOf(options.gradientAccumulation()));
        values.put("learning_rate", String.valueOf(options.learningRate()));
        values.put("schedule", String.valueOf(options.schedule()));
        values.put("warmup_steps", String.valueOf(options.warmupSteps()));
        values.put("weight_decay", String.valueOf(options.weightDecay()));
        values.put("max_grad_norm", String.valueOf(options.maxGradNorm()));
        values.put("seed", String.valueOf(options.seed()));
        values.put("shuffle", String.valueOf(options.shuffle()));
        values.put("packing", String.valueOf(options.packing()));
        values.put("pack_tokens", String.valueOf(options.packTokens()));
        values.put("share_prefixes", String.valueOf(options.sharePrefixes()));
        values.put("examples", hash(examples));
        values.put("trainable_parameters", hashOfNames(parameters));
        values.put("update_rule", rule);
        return new RunSettings(values);
    }

    /**
     * Checks that a training goes on as it began.
     *
     * @param begun the settings of its beginning
     * @param checkpoint where they stand
     * @throws ConfigurationException with all that differs
     */
    void requireSame(RunSettings begun, Path checkpoint) {
        List<String> differences = new ArrayList<>();
        values.forEach((name, value) -> {
            String before = begun.values().get(name);
            if (!value.equals(before)) {
                differences.add(name + " was " + before + " and is " + value);
            }
        });
        if (!differences.isEmpty()) {
            throw new ConfigurationException("the training cannot be resumed from " + checkpoint + ", because it is "
                    + "another one: " + String.join("; ", differences) + ". Give the same options, data and adapter, "
                    + "or start anew in another folder");
        }
    }

    private static String hash(List<TokenSequence> examples) {
        MessageDigest digest = sha256();
        for (TokenSequence example : examples) {
            ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * (1 + 2 * example.length()));
            bytes.putInt(example.length());
            for (int i = 0; i < example.length(); i++) {
                bytes.putInt(example.ids()[i]).putFloat(example.weights()[i]);
            }
            digest.update(bytes.flip());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String hashOfNames(List<Parameter> parameters) {
        MessageDigest digest = sha256();
        parameters.forEach(parameter -> digest.update((parameter.name() + Arrays.toString(parameter.value().shape()))
                .getBytes(StandardCharsets.UTF_8)));
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

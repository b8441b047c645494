package io.peft4j.eval.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.Sha256;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers on disk, so that a model is not asked the same question twice: a file of JSON lines
 * {@code {"key", "question", "text"}}, with {@code "cut": true} where the limit of new tokens ended the answer; of
 * given choices the text is their probabilities. The key stands for the model with its active adapters, the question
 * and the options of generation. Answers are added as they come, so that an interrupted evaluation resumes where it
 * stopped. A line that cannot be read (as after a crash) is passed over.
 */
@Internal
public final class AnswerCache {
    private static final Logger LOG = LoggerFactory.getLogger(AnswerCache.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final Map<String, Kept> answers = new HashMap<>();

    private AnswerCache(Path file) {
        this.file = Objects.requireNonNull(file, "file");
    }

    /**
     * The cache in a file, which need not exist.
     *
     * @throws UncheckedIOException when the file is there and cannot be read
     */
    public static AnswerCache open(Path file) {
        AnswerCache cache = new AnswerCache(file);
        if (Files.exists(file)) {
            cache.load();
        }
        return cache;
    }

    private void load() {
        try {
            // Bytes that are not UTF-8 become a line that is not an answer; readAllLines would refuse the file.
            String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            long bad = text.lines().filter(line -> !line.isBlank() && !add(line)).count();
            if (bad > 0) {
                LOG.warn("{}: skipped {} without a cached answer", file, Count.of(bad, "line"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the cached answers in " + file + ": " + e.getMessage(), e);
        }
    }

    private boolean add(String line) {
        try {
            if (JSON.readTree(line) instanceof ObjectNode row && row.path("key").isTextual()
                    && row.path("text").isTextual()) {
                answers.put(row.get("key").textValue(),
                        new Kept(row.get("text").textValue(), row.path("cut").asBoolean()));
                return true;
            }
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    /** The number of answers. */
    public int size() {
        return answers.size();
    }

    Optional<Kept> get(String key) {
        return Optional.ofNullable(answers.get(key));
    }

    /** Adds answers and writes them at the end of the file. */
    void put(List<Entry> entries) {
        StringBuilder lines = new StringBuilder();
        for (Entry entry : entries) {
            answers.put(entry.key(), entry.answer());
            ObjectNode row = JSON.createObjectNode();
            row.put("key", entry.key()).put("question", entry.question()).put("text", entry.answer().text());
            if (entry.answer().cut()) {
                row.put("cut", true);
            }
            lines.append(row).append('\n');
        }
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            // In one write, so that lines of several processes do not mix.
            try (SeekableByteChannel end = Files.newByteChannel(file, StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND)) {
                end.write(StandardCharsets.UTF_8.encode(startOfLine() + lines));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write cached answers to " + file + ": " + e.getMessage(), e);
        }
    }

    /** A line break where the file ends within a line, as after a crash. */
    private String startOfLine() throws IOException {
        if (!Files.exists(file) || Files.size(file) == 0) {
            return "";
        }
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            channel.position(channel.size() - 1);
            ByteBuffer last = ByteBuffer.allocate(1);
            channel.read(last);
            return last.get(0) == '\n' ? "" : "\n";
        }
    }

    /** An answer, and whether the limit of new tokens ended it. */
    record Kept(String text, boolean cut) {
    }

    record Entry(String key, String question, Kept answer) {
    }

    /**
     * The keys of questions for one model and one set of greedy options: what the draws depend on has no part in them.
     */
    static final class Keys {
        private final String model;
        private final GenerationOptions options;

        Keys(LanguageModel model, GenerationOptions options) {
            this.model = ModelFingerprint.of(model);
            this.options = options;
        }

        /** The key of a question. */
        String of(EvaluationItem item) {
            String choice = List.of(options.maxNewTokens(), options.stopStrings(), options.sampling().withSeed(0),
                    options.constraint().map(TextConstraint::description).orElse("")).toString();
            String asked = item.messages().stream().map(ChatMessage::toMap).toList()
                    + item.further().tools().map(check -> check.tools().toString()).orElse("")
                    + (item.task() == TokenSequence.NO_TASK ? "" : item.task());
            return ModelFingerprint.of(List.of(model, choice, asked));
        }

        /** The key of how likely the choices of a question are, whatever the options of generation. */
        String of(String question, List<String> choices) {
            return ModelFingerprint.of(List.of(model, question, choices.toString()));
        }
    }

    /**
     * Tells whether two models would give the same answers, without their files: a digest of the sizes, the chat
     * template, the logits after a probe text, and the tensors of the active adapters. It is the same for the same
     * model from another place, and another one for other weights, another precision or kernels that round otherwise.
     */
    static final class ModelFingerprint {
        private static final String PROBE = "At 9:30 the clerk read 1,204 letters; \"Who wrote this?\" she asked.\n";
        private static final int LONGEST_PROBE = 32;

        private final Sha256 sha = new Sha256();

        private ModelFingerprint() {
        }

        /** 64 hexadecimal digits. */
        static String of(LanguageModel model) {
            ModelFingerprint fingerprint = new ModelFingerprint();
            ModelDescription description = model.network().description();
            fingerprint.add(description.modelType());
            fingerprint.add(List.of(description.vocabularySize(), description.hiddenSize(), description.layers(),
                    description.maxPositions(), description.activationType(), description.parameters()).toString());
            fingerprint.add(model.chatTemplate().map(ChatTemplate::source).orElse(""));
            int[] probe = model.tokenizer().encode(PROBE);
            probe = java.util.Arrays.copyOf(probe, Math.min(probe.length, LONGEST_PROBE));
            fingerprint.add(java.util.Arrays.toString(probe));
            fingerprint.addLogits(model, probe);
            if (model instanceof PeftModel adapted) {
                adapted.activeAdapters().forEach(name -> fingerprint.addAdapter(adapted, name));
            }
            return fingerprint.sha.hex();
        }

        /** 64 hexadecimal digits for texts. */
        static String of(List<String> texts) {
            ModelFingerprint fingerprint = new ModelFingerprint();
            texts.forEach(fingerprint::add);
            return fingerprint.sha.hex();
        }

        private void add(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            sha.add(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array()).add(bytes);
        }

        private void add(float[] values) {
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
            bytes.asFloatBuffer().put(values);
            sha.add(bytes.array());
        }

        private void addLogits(LanguageModel model, int[] probe) {
            PackedBatch batch = PackedBatch.of(List.of(TokenSequence.unsupervised(probe).withSource(probe)
                    .inTask(TaskIds.any(model))));
            try (ModelLease lease = model.lease();
                    Workspace workspace = model.engine().workspace(Priority.WORK);
                    Pass pass = Pass.evaluation(lease, workspace, batch)) {
                add(pass.logits(pass.batch().lastRows()));
            }
        }

        private void addAdapter(PeftModel model, String name) {
            add(model.adapter(name).config().toJson());
            model.adapter(name).tensors().forEach(tensor -> add(Arrays.toFloats(tensor.parameter().value())));
        }
    }
}

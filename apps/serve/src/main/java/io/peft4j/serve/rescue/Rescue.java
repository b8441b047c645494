package io.peft4j.serve.rescue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.ShippingCheck;
import io.peft4j.eval.judge.HiddenStates;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.model.MergedFile;
import io.peft4j.serve.rescue.RecordedAnswers.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Takes tuned models home from a service before it stops them:
 *
 * <pre>{@code
 * Rescue rescue = Rescue.from(Service.at("http://localhost:8080/v1").withKey(key), base, Path.of("rescued"));
 * RescueReport report = rescue.run(RescueOptions.defaults(), System.out::println);
 * }</pre>
 *
 * <p>It lists what the account has, downloads training and validation files, records the tuned models' answers to
 * questions that were held out while they can still be asked, trains the same data here with the same hyperparameters,
 * and asks the new models the same. What is there already is not fetched again, so a rescue that was stopped can be
 * resumed. What cannot be had is a fault in the report, and does not keep the rest from being done.
 */
public final class Rescue {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double HELD_OUT = 0.1;
    private static final long SPLIT_SEED = 7;
    private static final String ADAPTER = "adapter";

    private final Service service;
    private final Optional<BaseModel> base;
    private final Path folder;

    /** Tells how far a rescue has come. */
    @FunctionalInterface
    public interface Listener {
        /** Something was done. */
        void say(String message);
    }

    private Rescue(Service service, Optional<BaseModel> base, Path folder) {
        this.service = service;
        this.base = base;
        this.folder = folder;
    }

    /**
     * A rescue.
     *
     * @param service where the tuned models are
     * @param base what is tuned in their place; stays the caller's
     * @param folder where everything goes
     */
    public static Rescue from(Service service, BaseModel base, Path folder) {
        return new Rescue(service, Optional.of(base), folder);
    }

    /**
     * A rescue of data and answers alone, whose options say that nothing is trained.
     *
     * @param service where the tuned models are
     * @param folder where everything goes
     */
    public static Rescue from(Service service, Path folder) {
        return new Rescue(service, Optional.empty(), folder);
    }

    /** What the account has. */
    @Internal
    public static Inventory inventory(Service service) {
        return Inventory.of(service);
    }

    /**
     * Rescues what can be rescued.
     *
     * @throws ServiceException when the service tells nothing at all
     * @throws ConfigurationException if models are to be trained and there is no base model
     */
    public RescueReport run(RescueOptions options, Listener listener) {
        if (options.train() && base.isEmpty()) {
            throw new ConfigurationException("a rescue that trains needs a base model; give one, or train nothing");
        }
        Optional<Assertions> assertions = options.assertions().map(file -> Assertions.read(file,
                new AssertionCheck.Tools(this::similarity, options.judge().map(StructuredJudge::on))));
        Inventory inventory = Inventory.of(service);
        create(folder.resolve("files"));
        listener.say(Count.of(inventory.models().size(), "tuned model") + ", " + Count.of(inventory.jobs(), "job")
                + ", " + Count.of(inventory.files(), "file"));
        List<RescuedModel> rescued = new ArrayList<>();
        for (TunedModel model : inventory.models()) {
            if (options.only().isEmpty() || options.only().contains(model.name())) {
                rescued.add(rescue(model, options, assertions, listener));
            }
        }
        List<String> unknown = options.only().stream().filter(name -> inventory.models().stream()
                .noneMatch(model -> model.name().equals(name))).toList();
        List<String> faults = new ArrayList<>(inventory.faults());
        unknown.forEach(name -> faults.add("the service has no tuned model '" + name + "'"));
        RescueReport report = new RescueReport(base.filter(model -> options.train()).map(model -> model.network()
                .description().name()), rescued, faults);
        report.write(folder);
        return report;
    }

    private RescuedModel rescue(TunedModel model, RescueOptions options, Optional<Assertions> assertions,
            Listener listener) {
        Path own = folder.resolve("models").resolve(model.folder());
        create(own);
        List<String> faults = new ArrayList<>();
        Optional<Path> training = file("training file", model.trainingFile(), faults);
        Optional<Path> validation = file("validation file", model.validationFile(), faults);
        if (model.job().isEmpty()) {
            faults.add("the service lists no job that made it, so its data are not known");
        }
        Optional<RescueData> data = training.flatMap(path -> read(path, validation, model, options, faults));
        List<EvaluationItem> questions = data.map(RescueData::questions).orElseGet(() -> prompts(options, faults));
        RecordedAnswers old = RecordedAnswers.open(own.resolve("golden.jsonl"), questions, options.samples());
        int answered = record(model, old, options, faults, listener);
        Optional<Path> adapter = Optional.empty();
        Optional<ModelComparison> comparison = Optional.empty();
        Optional<Assertions.Outcome> outcome = Optional.empty();
        Optional<RescuedModel.Merged> merged = Optional.empty();
        if (options.train() && data.isPresent()) {
            boolean chooses = options.decisions() && data.get().choice().isPresent();
            Path trained = own.resolve(chooses ? "decision" : ADAPTER);
            try (Replacement replacement = Replacement.train(base.orElseThrow(), model, data.get(), trained, chooses,
                    listener)) {
                adapter = Optional.of(trained);
                if (answered > 0) {
                    RecordedAnswers now = RecordedAnswers.open(own.resolve(chooses ? "decided.jsonl" : "new.jsonl"),
                            questions, options.samples());
                    now.complete(model.name(), replacement.answers(options.maxNewTokens()), () -> {
                    });
                    comparison = Optional.of(ModelComparison.of(old, now));
                }
                outcome = assertions.map(tests -> tests.judge(replacement.answers(tests.questions(),
                        options.maxNewTokens())));
                merged = options.merge().map(form -> chooses ? notMerged(own,
                        "it chooses between its answers with the adapter")
                        : merge(model, form, questions, own,
                                listener));
            } catch (PeftException e) {
                faults.add("it cannot be trained here: " + e.getMessage());
            }
        }
        return new RescuedModel(model, data.map(RescueData::rows).orElse(0), answered, adapter, comparison, outcome,
                merged, faults);
    }

    private RescuedModel.Merged merge(TunedModel model, RescueOptions.Merge form, List<EvaluationItem> questions,
            Path own, Listener listener) {
        listener.say(model.name() + ": is merged");
        Path file = own.resolve(RescueOptions.Merge.MERGED);
        if (form.mostLoss().isPresent() && questions.isEmpty()) {
            return notMerged(own, "there is no question to prove it with");
        }
        try {
            Optional<MergedFile.Proof> proof = form.mostLoss().stream().mapToObj(most -> new MergedFile.Proof(questions,
                    most)).findFirst();
            Optional<ShippingCheck> proved = new MergedFile(form.type(), proof).write(base.orElseThrow(),
                    own.resolve(ADAPTER), model.name(), file, () -> {
                    });
            return new RescuedModel.Merged(Optional.of(file), proved.map(ShippingCheck::toString).orElse(""));
        } catch (ConfigurationException e) {
            return notMerged(own, e.getMessage());
        }
    }

    /** The file of an earlier rescue is not this model's, and must not be taken for it. */
    private static RescuedModel.Merged notMerged(Path own, String reason) {
        Path file = own.resolve(RescueOptions.Merge.MERGED);
        if (!Files.exists(file)) {
            return new RescuedModel.Merged(Optional.empty(), reason);
        }
        Path former = file.resolveSibling(RescueOptions.Merge.FORMER);
        try {
            Files.move(file, former, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot move " + file + ": " + e.getMessage(), e);
        }
        return new RescuedModel.Merged(Optional.empty(), reason + "; the file of an earlier rescue is " + former
                + " now");
    }

    private Optional<Path> file(String what, Optional<String> id, List<String> faults) {
        if (id.isEmpty()) {
            return Optional.empty();
        }
        Path target = folder.resolve("files").resolve(id.get().replaceAll("[^A-Za-z0-9._-]", "_") + ".jsonl");
        try {
            if (!Files.isRegularFile(target)) {
                service.download("/files/" + Service.quoted(id.get()) + "/content", target);
            }
            return Optional.of(target);
        } catch (ServiceException e) {
            faults.add("its " + what + " " + id.get() + " cannot be had: " + e.getMessage());
        } catch (IOException e) {
            faults.add("its " + what + " " + id.get() + " cannot be kept: " + e.getMessage());
        }
        return Optional.empty();
    }

    private Optional<RescueData> read(Path training, Optional<Path> validation, TunedModel model, RescueOptions options,
            List<String> faults) {
        try {
            return Optional.of(RescueData.read(training, validation, model, options, HELD_OUT, SPLIT_SEED));
        } catch (PeftException e) {
            faults.add("its data cannot be read: " + e.getMessage());
            return Optional.empty();
        }
    }

    private static List<EvaluationItem> prompts(RescueOptions options, List<String> faults) {
        if (options.prompts().isEmpty()) {
            faults.add("nothing is there to ask it; give questions of your own (prompts)");
            return List.of();
        }
        return RescueData.items(ChatDataset.read(options.prompts().get()), options.questions());
    }

    private int record(TunedModel model, RecordedAnswers answers, RescueOptions options, List<String> faults,
            Listener listener) {
        int[] done = {0};
        int all = answers.items().size() * options.samples();
        try {
            answers.complete(model.name(), (question, sample) -> ask(model.name(), question, sample, options), () -> {
                done[0]++;
                if (done[0] % 25 == 0 || done[0] == all) {
                    listener.say(model.name() + ": " + done[0] + " of " + Count.of(all, "answer"));
                }
            });
        } catch (ServiceException e) {
            faults.add((done[0] == 0 ? "it does not answer: " : "after " + Count.of(done[0], "answer")
                    + " it does not answer: ") + e.getMessage());
        }
        return done[0] == all ? all : 0;
    }

    private Answer ask(String model, List<ChatMessage> question, int sample, RescueOptions options) {
        ObjectNode body = JSON.createObjectNode().put("model", model).put("max_completion_tokens",
                options.maxNewTokens()).put("temperature", sample == 0 ? 0 : RescueOptions.TEMPERATURE)
                .put("seed", sample);
        ArrayNode messages = body.putArray("messages");
        question.forEach(message -> messages.addObject().put("role", message.role()).put("content", message.content()));
        long begin = System.nanoTime();
        JsonNode content = service.post("/chat/completions", body).at("/choices/0/message/content");
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (!content.isTextual()) {
            throw new ServiceException(200, "/chat/completions returned no choices[0].message.content");
        }
        return new Answer(content.asText(), seconds);
    }

    /** The cosine of two texts' mean hidden states in the base model. */
    private double similarity(String first, String second) {
        List<float[]> vectors = new HiddenStates(base.orElseThrow()).embed(List.of(first, second));
        return TextEmbedder.cosine(vectors.get(0), vectors.get(1));
    }

    private static void create(Path path) {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folder " + path + ": " + e.getMessage(), e);
        }
    }
}

package io.peft4j.train.objective;

import io.peft4j.core.engine.Engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.grader.Grader.Grade;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.grader.LimitedCalls;
import io.peft4j.data.task.AnswerGroup;
import io.peft4j.train.objective.Conversations.Conversation;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reinforcement on answers that the model gives itself: for each batch it answers every prompt several times, a grader
 * says how good the answers are, and a {@link GroupObjective} learns from them. Draws follow from the seed of the
 * training, so that one that is resumed continues as if it had never stopped.
 *
 * <pre>{@code
 * Grader grader = (item, answer) -> answer.strip().equals(item.get("answer")) ? 1 : 0;
 * Trainer.builder(model).build().train(new SampledObjective(new GroupObjective(model, GroupOptions.grpo()),
 *         Grading.by(grader), SamplingOptions.defaults(), Optional.empty()), prompts);
 * }</pre>
 *
 * <p>The grader sees all keys of a prompt's row. An answer that it cannot grade is named in a warning and not learned;
 * three batches in which it grades nothing end the training.
 *
 * <p>The loss on validation prompts is the mean reward of greedy answers, times -1. Measured besides what
 * {@link GroupObjective} measures: {@code rewards/NAME} for each part of a grade, {@code entropy} (its estimate from
 * the answers: the mean of {@code -log p}), {@code ungraded}, the share of answers without a grade, and with tools
 * {@code tools/call_frequency}, the calls that were answered, an answer. The tokens of a step are those of its prompts.
 */
public final class SampledObjective implements AnswerObjective<AnswerGroup> {
    private static final Logger LOG = LoggerFactory.getLogger(SampledObjective.class);
    private static final int MOST_FAILED_BATCHES = 3;
    private static final int WARNINGS = 10;

    private final GroupObjective learner;
    private final Grading grading;
    private final SamplingOptions options;
    private final Optional<LanguageModel> start;
    private final Optional<ToolCaller> tools;
    private final int turns;
    /** The prompts by the tokens that they are asked with (the same array). */
    private final Map<int[], AnswerGroup> prompts = new IdentityHashMap<>();
    private int failedBatches;
    private int troubles;

    /**
     * The objective.
     *
     * @param learner learns from the answers, and knows the model that gives them
     * @param grading grades them
     * @param options how they are drawn
     * @param start the model as it was before the training, where it is held to that ({@link Reference#START})
     */
    public SampledObjective(GroupObjective learner, Grading grading, SamplingOptions options,
            Optional<LanguageModel> start) {
        this(learner, grading, options, start, Optional.empty(), 1);
    }

    private SampledObjective(GroupObjective learner, Grading grading, SamplingOptions options,
            Optional<LanguageModel> start, Optional<ToolCaller> tools, int turns) {
        this.learner = Objects.requireNonNull(learner, "learner");
        this.grading = Objects.requireNonNull(grading, "grading");
        this.options = Objects.requireNonNull(options, "options");
        this.start = start;
        this.tools = tools;
        this.turns = turns;
    }

    /**
     * The same with tools that answer between the turns of the model; they are called several at a time and as long as
     * graders may take. The tokens of what they say count as tokens of the answer and are not learned. Graded is the
     * text of the last turn; an answer whose tool fails has no grade.
     *
     * @param most the most turns of the model, 2 or more
     */
    public SampledObjective withTools(ToolCaller caller, int most) {
        if (most < 2) {
            throw new ConfigurationException("an answer with tools needs 2 turns or more, got " + most);
        }
        return new SampledObjective(learner, grading, options, start, Optional.of(caller), most);
    }

    @Override
    public String name() {
        return learner.name();
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>(learner.settings());
        settings.put("group_size", String.valueOf(options.groupSize()));
        settings.put("temperature", String.valueOf(options.temperature()));
        settings.put("top_p", String.valueOf(options.topP()));
        settings.put("grader", options.grader());
        tools.ifPresent(caller -> settings.put("turns", String.valueOf(turns)));
        return settings;
    }

    /** An update compares the answers to each prompt; workers would have to draw the same ones. */
    @Override
    public boolean comparesExamples() {
        return true;
    }

    @Override
    public boolean endsOnCollapse() {
        return options.endsOnCollapse();
    }

    @Override
    public EncodedExamples encode(List<AnswerGroup> examples, DataSetup setup) {
        AnswerFault.Log faults = new AnswerFault.Log();
        List<EncodedExample> encoded = new ArrayList<>();
        int longest = Math.min(setup.maxLength(), learner.model().network().description().maxPositions());
        for (int i = 0; i < examples.size(); i++) {
            AnswerGroup group = examples.get(i);
            int[] ids = learner.encoder().encodePrompt(group.prompt());
            if (ids.length + learner.options().maxCompletionLength() > longest) {
                faults.add(AnswerFault.CUT_AWAY, i, group.prompt().origin());
                continue;
            }
            prompts.put(ids, group);
            // What the grader sees of a row decides the training as well as its prompt.
            float[] row = {group.prompt().extra().toString().hashCode() & 0xFFFFFF};
            encoded.add(new EncodedExample(List.of(TokenSequence.unsupervised(ids)
                    .inTask(TaskIds.of(group.prompt().extra()))), row, options.groupSize(),
                    options.groupSize()));
        }
        return PreferenceObjective.kept(encoded, faults, examples.size(), setup);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        List<EncodedExample> answered = answered(passes, batch);
        // The loss of a batch is the mean that the learner takes over its answers, however many tokens they have.
        double scale = EncodedExample.weight(batch) / EncodedExample.weight(answered);
        return scale * learner.backward(passes, answered, normalizer / scale, true);
    }

    /** The prompts of a batch with answers and their rewards. */
    private List<EncodedExample> answered(Passes passes, List<EncodedExample> batch) {
        Sampling sampling = Sampling.of(options.temperature(), passes.seed()).withTopP(options.topP());
        int each = options.groupSize();
        List<Conversation> conversations = conversations(batch, sampling, each);
        List<Grading.Outcome> outcomes = graded(passes, batch, conversations, each);
        List<EncodedExample> answered = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            List<GroupObjective.Answer> answers = new ArrayList<>();
            for (int k = i * each; k < (i + 1) * each; k++) {
                answers.add(new GroupObjective.Answer(conversations.get(k).sequence(), conversations.get(k).isCut(),
                        outcomes.get(k).grade().map(Grade::reward).orElse(Double.NaN)));
            }
            answered.add(learner.group(answers));
        }
        return learner.referenceValues() == 0 ? answered : withReferences(passes, answered);
    }

    private List<Conversation> conversations(List<EncodedExample> batch, Sampling sampling, int each) {
        List<int[]> asked = batch.stream().map(example -> example.sequences().get(0).ids()).toList();
        return new Conversations(learner.model(), learner.options().maxCompletionLength(), tools, turns,
                new LimitedCalls(grading.threads(), grading.limit()))
                .of(asked.stream().map(ids -> prompts.get(ids).prompt()).toList(), asked, sampling, each);
    }

    /** Grades answers, and measures what their grades are made of. */
    private List<Grading.Outcome> graded(Passes passes, List<EncodedExample> batch, List<Conversation> conversations,
            int each) {
        List<Grading.Answer> asked = new ArrayList<>();
        List<Grading.Outcome> outcomes = new ArrayList<>();
        for (int k = 0; k < conversations.size(); k++) {
            ChatExample prompt = prompt(batch.get(k / each));
            String name = prompt.origin() + ", answer " + (k % each + 1);
            Optional<String> trouble = conversations.get(k).trouble().map(what -> what + " (" + name + ")");
            outcomes.add(new Grading.Outcome(Optional.empty(), trouble));
            if (trouble.isEmpty()) {
                asked.add(new Grading.Answer(name, prompt.extra(), conversations.get(k).lastTurn()));
            }
        }
        Iterator<Grading.Outcome> graded = grading.grade(asked).iterator();
        outcomes.replaceAll(outcome -> outcome.trouble().isPresent() ? outcome : graded.next());
        for (int k = 0; k < outcomes.size(); k++) {
            Optional<Grade> grade = outcomes.get(k).grade();
            Map<String, Double> parts = grade.map(Grade::parts).orElse(Map.of());
            parts.forEach((name, value) -> passes.measure("rewards/" + name, value, 1));
            passes.measure("ungraded", grade.isPresent() ? 0 : 1, 1);
            outcomes.get(k).trouble().filter(trouble -> troubles++ < WARNINGS).ifPresent(LOG::warn);
            List<ChatMessage> prompt = prompt(batch.get(k / each)).messages();
            passes.show(new SampledAnswer(prompt.get(prompt.size() - 1).content(), conversations.get(k).shown(),
                    grade.map(Grade::reward).orElse(Double.NaN), parts));
        }
        if (tools.isPresent()) {
            passes.measure("tools/call_frequency", conversations.stream().mapToInt(Conversation::toolCalls).sum(),
                    conversations.size());
        }
        requireGrades(outcomes);
        return outcomes;
    }

    private ChatExample prompt(EncodedExample example) {
        return prompts.get(example.sequences().get(0).ids()).prompt();
    }

    private void requireGrades(List<Grading.Outcome> outcomes) {
        boolean none = outcomes.stream().allMatch(outcome -> outcome.grade().isEmpty());
        failedBatches = none ? failedBatches + 1 : 0;
        if (failedBatches == MOST_FAILED_BATCHES) {
            throw new ConfigurationException("no answer of " + MOST_FAILED_BATCHES + " batches could be graded: "
                    + outcomes.get(0).trouble().orElse(""));
        }
    }

    private List<EncodedExample> withReferences(Passes passes, List<EncodedExample> answered) {
        float[][] values = learner.options().reference() == Reference.BASE ? learner.reference(passes, answered)
                : learner.split(answered, ofStart(EncodedExample.sequences(answered)));
        List<EncodedExample> complete = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            complete.add(answered.get(i).withMoreTargets(values[i]));
        }
        return complete;
    }

    private float[] ofStart(List<TokenSequence> sequences) {
        LanguageModel model = start.orElseThrow(() -> new ConfigurationException("the reference is the model as it "
                + "starts, which was not given"));
        try (ModelLease lease = model.lease();
                Workspace workspace = model.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, lease.network().pack(sequences))) {
            return pass.negativeLogLikelihoods();
        }
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        List<Conversation> conversations = conversations(batch, Sampling.greedy(), 1);
        List<Grading.Outcome> outcomes = graded(passes, batch, conversations, 1);
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            passes.measure("completions/mean_length", conversations.get(i).learned(), 1);
            if (outcomes.get(i).grade().isPresent()) {
                double reward = outcomes.get(i).grade().get().reward();
                passes.measure("reward", reward, 1);
                sum -= batch.get(i).weight() * reward;
            }
        }
        return sum;
    }

    @Override
    public String toString() {
        return "objective " + name() + " on its own answers";
    }

    /**
     * Answers the calls of tools in a model's turns ({@link SampledObjective#withTools}). Used by several threads at a
     * time.
     *
     * <pre>{@code
     * ToolCaller sums = (item, turn) -> turn.startsWith("add ") ? Optional.of(sumOf(turn)) : Optional.empty();
     * }</pre>
     */
    @FunctionalInterface
    public interface ToolCaller {
        /**
         * What the model reads after its turn, as a message of the role {@code tool}.
         *
         * @param item the row that was asked, with all its keys
         * @param turn the text of the turn
         * @return the answer; empty where the turn calls nothing, and so ends the conversation
         */
        Optional<String> answer(Map<String, Object> item, String turn);
    }
}

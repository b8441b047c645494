package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.grader.LimitedCalls;
import io.peft4j.data.pack.Seeds;
import io.peft4j.train.objective.SampledObjective.ToolCaller;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * Has a model answer prompts, in several turns where it calls tools. What tools say is in the sequence and is not
 * learned.
 *
 * @param model answers
 * @param maxTokens the most tokens behind a prompt, with those of tools
 * @param tools answers the turns but the last
 * @param turns the most turns of the model
 * @param calls how tools are called
 */
record Conversations(LanguageModel model, int maxTokens, Optional<ToolCaller> tools, int turns, LimitedCalls calls) {
    /** The place of an assistant's text in a rendered conversation; of no template. */
    private static final String MARK = "\uE000\uE001";

    /** A conversation so far. */
    static final class Conversation {
        private final ChatExample prompt;
        private final int asked;
        private final StringBuilder shown = new StringBuilder();
        private int[] ids;
        private float[] weights;
        private String turn = "";
        private int toolCalls;
        private boolean cut;
        private Optional<String> trouble = Optional.empty();

        Conversation(ChatExample prompt, int... ids) {
            this.prompt = prompt;
            this.asked = ids.length;
            this.ids = ids;
            this.weights = new float[ids.length];
        }

        /** Prompt, turns and what tools said; learned are the turns. */
        TokenSequence sequence() {
            return new TokenSequence(ids, weights).inTask(asked().task());
        }

        private Prompt asked() {
            return Prompt.tokens(ids).inTask(TaskIds.of(prompt.extra()));
        }

        /** The tokens of the turns. */
        int learned() {
            return sequence().supervisedTokens();
        }

        /** Whether the last turn has no end. */
        boolean isCut() {
            return cut;
        }

        String lastTurn() {
            return turn;
        }

        /** All turns, with what tools said between them. */
        String shown() {
            return shown.toString();
        }

        int toolCalls() {
            return toolCalls;
        }

        /** Why a tool gave no answer. */
        Optional<String> trouble() {
            return trouble;
        }

        private void add(float weight, int... more) {
            int before = ids.length;
            ids = Arrays.copyOf(ids, before + more.length);
            System.arraycopy(more, 0, ids, before, more.length);
            weights = Arrays.copyOf(weights, ids.length);
            Arrays.fill(weights, before, ids.length, weight);
        }
    }

    /** Conversations for each prompt, which stand next to each other. */
    List<Conversation> of(List<ChatExample> examples, List<int[]> prompts, Sampling sampling, int each) {
        List<Conversation> asked = new ArrayList<>();
        for (int k = 0; k < prompts.size(); k++) {
            asked.add(new Conversation(examples.get(k), prompts.get(k)));
        }
        List<Completion> first = generate(asked, sampling, each, maxTokens);
        List<Conversation> all = new ArrayList<>();
        for (int k = 0; k < first.size(); k++) {
            Conversation conversation = new Conversation(examples.get(k / each), prompts.get(k / each));
            take(conversation, first.get(k));
            all.add(conversation);
        }
        List<Conversation> open = all;
        for (int turn = 1; turn < turns && tools.isPresent() && !open.isEmpty(); turn++) {
            open = answered(open.stream().filter(one -> !one.cut).toList());
            if (!open.isEmpty()) {
                int most = open.stream().mapToInt(this::room).max().getAsInt();
                List<Completion> next = generate(open,
                        sampling.withSeed(Seeds.mix(sampling.seed(), turn)), 1, most);
                for (int k = 0; k < next.size(); k++) {
                    take(open.get(k), next.get(k));
                }
            }
        }
        return all;
    }

    private int room(Conversation one) {
        return one.asked + maxTokens - one.ids.length;
    }

    private List<Completion> generate(List<Conversation> some, Sampling sampling, int each, int most) {
        return model.generate(some.stream().map(Conversation::asked).toList(), GenerationOptions.defaults()
                .withSampling(sampling).withAnswers(each).withMaxNewTokens(most));
    }

    private void take(Conversation one, Completion completion) {
        int room = room(one);
        boolean fits = completion.ids().length <= room;
        int[] ids = fits ? completion.ids() : Arrays.copyOf(completion.ids(), room);
        one.cut = !fits || completion.stopReason() == Completion.StopReason.LENGTH;
        one.turn = fits ? completion.text() : model.tokenizer().decode(ids, true);
        one.shown.append(one.turn);
        one.add(1, ids);
    }

    /** Asks the tools; those that said something, with what they said. */
    private List<Conversation> answered(List<Conversation> open) {
        List<Callable<Optional<String>>> asked = new ArrayList<>();
        open.forEach(one -> asked.add(() -> tools.orElseThrow().answer(one.prompt.extra(), one.turn)));
        List<LimitedCalls.Result<Optional<String>>> results = calls.all(asked);
        List<Conversation> going = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            Conversation one = open.get(i);
            one.trouble = results.get(i).trouble().map(what -> "the tool " + what);
            Optional<String> said = results.get(i).value().flatMap(answer -> answer);
            if (said.isPresent()) {
                int[] between = between(one, said.get());
                one.toolCalls++;
                one.cut = between.length >= room(one);
                if (!one.cut) {
                    one.shown.append("\n[tool] ").append(said.get()).append('\n');
                    one.add(0, between);
                    going.add(one);
                }
            }
        }
        return going;
    }

    /** The tokens from the end of a turn to the beginning of the next one. */
    private int[] between(Conversation one, String said) {
        ChatTemplate template = model.chatTemplate().orElseThrow(() -> new ConfigurationException(
                model.network().description().name() + " has no chat template, so tools cannot answer it"));
        List<ChatMessage> messages = new ArrayList<>(one.prompt.messages());
        messages.add(ChatMessage.assistant(MARK));
        messages.add(ChatMessage.tool(said));
        String text = template.render(messages, true, one.prompt.tools(), Map.of());
        int end = text.indexOf(MARK);
        if (end < 0) {
            throw new ConfigurationException("the chat template of " + model.network().description().name()
                    + " leaves out what the assistant said before a tool, so tools cannot answer it");
        }
        int[] ids = model.tokenizer().encode(text.substring(end + MARK.length()));
        // The turn has brought its own end.
        boolean ended = ids.length > 0 && ids[0] == one.ids[one.ids.length - 1];
        return ended ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}

package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.data.PromptRows;
import io.peft4j.data.format.DataFile;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model is to go on saying while it learns something else: its own answers to some prompts, as they are before
 * the training.
 *
 * @param sequences each prompt with the model's answer, of which the answer is supervised
 */
@Internal
public record KeptAnswers(List<TokenSequence> sequences) {
    /** Copies the list; there is at least one. */
    public KeptAnswers {
        sequences = List.copyOf(sequences);
        if (sequences.isEmpty()) {
            throw new ConfigurationException("no prompts given whose answers are to be kept");
        }
    }

    /** General prompts that come with the library: explanations, lists, rewriting, small talk, requests to refuse. */
    public static List<Prompt> general(LanguageModel model) {
        try (InputStream in = KeptAnswers.class.getResourceAsStream("general-prompts.txt")) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).lines()
                    .map(line -> Prompt.of(model, List.of(ChatMessage.user(line)))).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the built-in general prompts", e);
        }
    }

    /**
     * Prompts of your own, see {@link PromptRows}.
     *
     * @throws DataException when a row is none
     * @throws UncheckedIOException when the file cannot be read
     */
    public static List<Prompt> prompts(LanguageModel model, DataFile file) {
        return PromptRows.read(file, model.chatTemplate().isPresent());
    }

    /**
     * Asks a model.
     *
     * @param model the base model, whose greedy answers are kept
     * @param mostTokens the most tokens of an answer
     */
    public static KeptAnswers of(LanguageModel model, List<Prompt> prompts, int mostTokens) {
        List<Prompt> asked = prompts.stream()
                .<Prompt>map(prompt -> Prompt.tokens(tokens(model, prompt)).inTask(prompt.task())).toList();
        List<Completion> answers = model.generate(asked, GenerationOptions.defaults().withMaxNewTokens(mostTokens));
        List<TokenSequence> sequences = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            int[] prompt = ((Prompt.Tokens) asked.get(i)).ids();
            int[] answer = answers.get(i).ids();
            int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
            System.arraycopy(answer, 0, ids, prompt.length, answer.length);
            float[] weights = new float[ids.length];
            Arrays.fill(weights, prompt.length, ids.length, 1);
            sequences.add(new TokenSequence(ids, weights).inTask(prompts.get(i).task()));
        }
        return new KeptAnswers(sequences);
    }

    private static int[] tokens(LanguageModel model, Prompt prompt) {
        if (prompt instanceof Prompt.Tokens tokens) {
            return tokens.ids();
        }
        if (prompt instanceof Prompt.Chat chat) {
            ChatTemplate template = model.chatTemplate().orElseThrow(() -> new ConfigurationException(
                    model.network().description().name() + " has no chat template; use plain-text prompts"));
            return model.tokenizer().encode(template.render(chat.messages(), true));
        }
        return model.tokenizer().encodeToContinue(((Prompt.Text) prompt).text());
    }

    /** A number that tells these answers from others. */
    int digest() {
        return Arrays.hashCode(sequences.stream()
                .mapToInt(sequence -> Arrays.hashCode(sequence.ids()) + sequence.task() - TokenSequence.NO_TASK)
                .toArray());
    }

    @Override
    public String toString() {
        return sequences.size() + " kept answers";
    }
}

package io.peft4j.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Turns conversations into token ids and decides which of them are learned: of each message of the assistant its content
 * and its end-of-turn token, found by position. The header of the turn is not learned, nor what follows the end-of-turn
 * token, and no token is judged by its id, since padding and end-of-turn may share one.
 *
 * <p>Where a message stands is found by rendering the conversation up to it. A template that renders a turn differently
 * once others follow (for instance without its reasoning) cannot be used this way and is refused.
 */
public final class ChatEncoder {
    private final Tokenizer tokenizer;
    private final ChatTemplate template;

    /** An encoder with a checkpoint's tokenizer and template. */
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.template = Objects.requireNonNull(template, "template");
    }

    /**
     * Encodes a data set. Examples longer than {@code maxLength} are left out and listed, never cut.
     *
     * @throws ConfigurationException when no example is left, or none has a supervised token
     * @throws DataException when an example cannot be encoded
     */
    public EncodedChats encode(ChatDataset dataset, int maxLength) {
        EncodedChats encoded = EncodedChats.of(dataset.examples(), this, maxLength);
        if (encoded.sequences().isEmpty()) {
            throw new ConfigurationException("all " + dataset.size() + " examples are longer than " + maxLength
                    + " tokens; raise the limit or shorten them");
        }
        if (encoded.supervisedTokens() == 0) {
            throw new ConfigurationException("none of the " + encoded.sequences().size() + " examples has a supervised "
                    + "token, so nothing would be learned; check the messages' weights and the chat template");
        }
        return encoded;
    }

    /**
     * Encodes one conversation.
     *
     * @throws DataException when the template rewrites earlier turns, or a token spans the border of a supervised part
     */
    public TokenSequence encode(ChatExample example) {
        String text = render(example, example.messages().size(), false);
        Encoding encoding = tokenizer.encodeWithOffsets(text);
        float[] weights = new float[encoding.length()];
        List<ChatMessage> messages = example.messages();
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role().equals("assistant") && isLearned(messages.get(i))) {
                supervise(example, i, text, encoding, weights);
            }
        }
        return new TokenSequence(encoding.ids(), weights);
    }

    private void supervise(ChatExample example, int message, String text, Encoding encoding, float[] weights) {
        String before = render(example, message, true);
        String after = render(example, message + 1, false);
        if (!after.startsWith(before) || !text.startsWith(after)) {
            throw fail(example, "the chat template renders message " + (message + 1) + " differently once other turns "
                    + "follow, or not after the header of an assistant's turn; its tokens cannot be told apart");
        }
        int start = before.length();
        int end = after.length();
        int last = -1;
        int lastSpecial = -1;
        for (int t = 0; t < encoding.length(); t++) {
            if (encoding.start()[t] < start && encoding.end()[t] > start) {
                throw fail(example, "the token \"" + text.substring(encoding.start()[t], encoding.end()[t])
                        + "\" spans the border between the header and the content of message " + (message + 1)
                        + "; the model would never see it when it answers");
            }
            if (encoding.start()[t] >= start && encoding.end()[t] <= end && encoding.end()[t] > encoding.start()[t]) {
                last = t;
                lastSpecial = tokenizer.isSpecial(encoding.ids()[t]) ? t : lastSpecial;
                weights[t] = 1;
            }
        }
        // What the template writes after the end-of-turn token (a line break) is not part of the answer.
        for (int t = lastSpecial + 1; lastSpecial >= 0 && t <= last; t++) {
            weights[t] = 0;
        }
    }

    private String render(ChatExample example, int messages, boolean addGenerationPrompt) {
        return template.render(example.messages().subList(0, messages), addGenerationPrompt, example.tools(), Map.of());
    }

    private static boolean isLearned(ChatMessage message) {
        return !(message.extra().get("weight") instanceof Number weight) || weight.doubleValue() != 0;
    }

    private static DataException fail(ChatExample example, String message) {
        return new DataException(Path.of(example.origin().file()), example.origin().line(), message);
    }
}

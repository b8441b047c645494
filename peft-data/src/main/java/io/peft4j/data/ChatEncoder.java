package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.TokenBound;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.example.ChatExample;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Turns conversations into token ids and decides which of them are learned: of each message of the assistant its
 * content and its end-of-turn token, found by position. The header of the turn is not learned, nor what follows the
 * end-of-turn token, and no token is judged by being the padding, since padding and end-of-turn may share an id.
 *
 * <p>The place of a message is found by rendering the conversation up to it, as a model is asked for it. What is
 * refused, because the model would learn something else than it is asked later: a template that renders a turn
 * differently once others follow (for instance without its reasoning), and a token that spans the border between
 * question and answer.
 *
 * <p>A model without a chat template learns prompts with their completions and texts ({@link ChatExample#continuation})
 * as they are: the prompt with the special tokens that the tokenizer adds, the completion, the end-of-sequence token.
 */
public final class ChatEncoder {
    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> template;
    private final String model;
    private final Masking masking;
    private final ContinuationEncoder continuations;

    /** An encoder with a checkpoint's tokenizer and template that learns all messages of the assistant. */
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template) {
        this(tokenizer, template, Masking.ASSISTANT);
    }

    /** An encoder with a checkpoint's tokenizer and template. */
    public ChatEncoder(Tokenizer tokenizer, ChatTemplate template, Masking masking) {
        this(tokenizer, Optional.of(template), "the model", masking);
    }

    private ChatEncoder(Tokenizer tokenizer, Optional<ChatTemplate> template, String model, Masking masking) {
        this.tokenizer = Objects.requireNonNull(tokenizer, "tokenizer");
        this.template = template;
        this.model = model;
        this.masking = Objects.requireNonNull(masking, "masking");
        this.continuations = new ContinuationEncoder(tokenizer, model);
    }

    /** An encoder without a chat template, for prompts with their completions and for texts. */
    public static ChatEncoder ofTexts(Tokenizer tokenizer) {
        return new ChatEncoder(tokenizer, Optional.empty(), "the model", Masking.ASSISTANT);
    }

    /** An encoder for a model that learns all messages of the assistant. */
    public static ChatEncoder of(LanguageModel model) {
        return of(model, Masking.ASSISTANT);
    }

    /** An encoder for a model, with its chat template where it has one. */
    public static ChatEncoder of(LanguageModel model, Masking masking) {
        return new ChatEncoder(model.tokenizer(), model.chatTemplate(), model.network().description().name(), masking);
    }

    /**
     * Encodes a data set. Examples longer than {@code maxLength} are left out, counted and listed, never cut.
     *
     * @throws ConfigurationException when no example is left, or none has a supervised token
     * @throws DataException when an example cannot be encoded, has an empty answer that would be learned, or has tools
     *     or calls of them that the chat template does not show
     */
    @Internal
    public EncodedChats encode(ChatDataset dataset, int maxLength) {
        dataset.forEach(this::requireAnswers);
        dataset.forEach(this::requireShown);
        EncodedChats encoded = EncodedChats.of(dataset.examples(), this, maxLength);
        if (encoded.sequences().isEmpty()) {
            throw new ConfigurationException(dataset.size() == 0 ? "the data set is empty" : "all examples ("
                    + dataset.size() + ") are longer than " + Count.of(maxLength, "token")
                    + "; raise the limit or shorten them");
        }
        if (encoded.supervisedTokens() == 0) {
            throw new ConfigurationException("none of the " + encoded.sequences().size() + " examples has "
                    + "supervised tokens, so nothing would be learned; check the messages' weights and the chat "
                    + "template");
        }
        return encoded;
    }

    /**
     * Refuses an example with tools or calls of them that the chat template does not show.
     *
     * @throws DataException then
     */
    @Internal
    public void requireShown(ChatExample example) {
        template.ifPresent(chats -> ShownTools.require(example, chats, model));
    }

    /**
     * Encodes one conversation, of the task that it names ({@link TaskIds}). One without a message of the assistant
     * that has a weight gets no supervised token.
     *
     * @throws DataException when the template rejects the conversation or rewrites earlier turns, when a token spans
     *     the border of a supervised part, when a message that is to be learned renders to nothing, or when a
     *     text is longer than the tokenizer takes
     */
    public TokenSequence encode(ChatExample example) {
        return tokens(example).inTask(TaskIds.of(example.extra()));
    }

    private TokenSequence tokens(ChatExample example) {
        if (isContinuation(example)) {
            return located(example, () -> continuations.encode(example, masking));
        }
        Rendered rendered = rendered(example);
        return new TokenSequence(rendered.encoding().ids(), rendered.weights());
    }

    /**
     * A number of tokens above {@code most} that a conversation has at least, found out without encoding all of it; 0
     * where it may have {@code most} or fewer.
     *
     * @param most the most tokens that are wanted
     * @throws DataException as {@link #encode(ChatExample)}
     */
    public int beyond(ChatExample example, int most) {
        // What is short is not rendered twice.
        if (example.toString().length() <= TokenBound.LONG) {
            return 0;
        }
        String text = isContinuation(example)
                ? example.messages().stream().map(ChatMessage::content).collect(Collectors.joining())
                : render(example, example.messages().size(), false);
        return located(example, () -> TokenBound.beyond(text, most, tokenizer::encode));
    }

    /**
     * The tokens that a model is asked with before it answers a conversation.
     *
     * @throws DataException when the template rejects it, or a text is longer than the tokenizer takes
     */
    public int[] encodePrompt(ChatExample asked) {
        if (template.isEmpty() && asked.continuation()) {
            return located(asked, () -> tokenizer.encodeToContinue(asked.messages().get(0).content()));
        }
        String text = render(asked, asked.messages().size(), true);
        return located(asked, () -> tokenizer.encode(text));
    }

    /**
     * A piece of a rendered conversation.
     *
     * @param text the text
     * @param learned whether all of its tokens are learned, or none
     */
    public record Piece(String text, boolean learned) implements Serializable {
    }

    /**
     * The rendered conversation with marks around what is learned, for people: {@code [[answer<|im_end|>]]}.
     *
     * @throws DataException as {@link #encode(ChatExample)}
     */
    public String preview(ChatExample example) {
        return pieces(example).stream().map(piece -> piece.learned() ? "[[" + piece.text() + "]]" : piece.text())
                .collect(Collectors.joining());
    }

    /**
     * The rendered conversation in pieces that are learned or not, in turn.
     *
     * @throws DataException as {@link #encode(ChatExample)}
     */
    public List<Piece> pieces(ChatExample example) {
        if (isContinuation(example)) {
            return located(example, () -> continuations.pieces(example, masking));
        }
        Rendered rendered = rendered(example);
        List<Piece> pieces = new ArrayList<>();
        int done = 0;
        boolean learned = false;
        for (int t = 0; t < rendered.weights().length; t++) {
            if (learned != (rendered.weights()[t] != 0)) {
                int at = learned ? rendered.encoding().end()[t - 1] : rendered.encoding().start()[t];
                if (at > done) {
                    pieces.add(new Piece(rendered.text().substring(done, at), learned));
                }
                done = at;
                learned = !learned;
            }
        }
        if (done < rendered.text().length()) {
            pieces.add(new Piece(rendered.text().substring(done), learned));
        }
        return pieces;
    }

    /** A text alone is no turn; a prompt and its completion are turns if there is a template for them. */
    private boolean isContinuation(ChatExample example) {
        return example.continuation() && (template.isEmpty() || example.prompt().isEmpty());
    }

    private record Rendered(String text, Encoding encoding, float[] weights) {
        String token(int index) {
            return text.substring(encoding.start()[index], encoding.end()[index]);
        }
    }

    /**
     * The last token that ends up to a place and is the text of a special token; else 0. A special token may also stand
     * for what has no token of its own, and then divides nothing.
     */
    private int lastMark(Rendered whole, int place) {
        int at = Arrays.binarySearch(whole.encoding().end(), place);
        at = at < 0 ? -at - 2 : at;
        while (at > 0 && !(tokenizer.isSpecial(whole.encoding().ids()[at]) && whole.encoding().end()[at] <= place
                && tokenizer.idToToken(whole.encoding().ids()[at]).equals(Optional.of(whole.token(at).strip())))) {
            at--;
        }
        return Math.max(0, at);
    }

    private Rendered rendered(ChatExample example) {
        List<ChatMessage> messages = example.messages();
        String text = render(example, messages.size(), false);
        Encoding encoding = located(example, () -> tokenizer.encodeWithOffsets(text));
        if (encoding.length() == 0) {
            throw fail(example, "the chat template renders the conversation as an empty text");
        }
        Rendered rendered = new Rendered(text, encoding, new float[encoding.length()]);
        if (masking == Masking.ALL) {
            Arrays.fill(rendered.weights(), 1);
            return rendered;
        }
        int last = example.prompt().size();
        for (int i = masking == Masking.LAST_TURN ? last : 0; i < messages.size(); i++) {
            if (messages.get(i).role().equals("assistant") && ChatExample.isLearned(messages.get(i))) {
                supervise(example, i, rendered);
            }
        }
        return rendered;
    }

    private void supervise(ChatExample example, int message, Rendered whole) {
        String before = render(example, message, true);
        int end = endOfTurn(example, message, before, whole);
        int first = firstToken(example, message, before, whole);
        int past = pastLastToken(example, message, first, end, whole);
        if (past <= first) {
            throw fail(example, "the chat template renders message " + (message + 1) + " as an empty text, so "
                    + "it cannot be learned");
        }
        Arrays.fill(whole.weights(), first, past, ChatExample.weight(example.messages().get(message)));
    }

    /**
     * Where the turn of a message ends in the whole text. Some templates end a conversation with a token that goes when
     * another turn follows (Phi's end of text); it is not a part of the turn.
     */
    private int endOfTurn(ChatExample example, int message, String before, Rendered whole) {
        String after = render(example, message + 1, false);
        if (after.startsWith(before) && whole.text().startsWith(after)) {
            int end = after.length() - trailing(after, before.length());
            return end == after.length() || !followed(example, message, after, end) ? after.length() : end;
        }
        int common = commonLength(after, whole.text());
        for (int t = 0; after.startsWith(before) && t < whole.encoding().length(); t++) {
            int end = whole.encoding().end()[t];
            boolean inside = end > before.length() && end <= common;
            if (inside && endsTurn(whole.encoding().ids()[t]) && isOnlySpecial(after.substring(end))) {
                return end;
            }
        }
        throw fail(example, "the chat template renders message " + (message + 1) + " differently when other "
                + "turns follow, or not after the header of an assistant turn, so its tokens cannot be located. "
                + "Learn the last answer of each conversation alone, or make each answer an example of its own");
    }

    /** The length of the last special token of a turn that directly follows another special token; else 0. */
    private int trailing(String after, int from) {
        Encoding encoding = tokenizer.encodeWithOffsets(after.substring(from));
        int last = encoding.length() - 1;
        boolean two = last > 0 && endsTurn(encoding.ids()[last]) && endsTurn(encoding.ids()[last - 1]);
        return two ? encoding.end()[last] - encoding.start()[last] : 0;
    }

    /** Whether a turn that ends at {@code end} continues there, without the rest, when the user speaks again. */
    private boolean followed(ChatExample example, int message, String after, int end) {
        List<ChatMessage> more = new ArrayList<>(example.messages().subList(0, message + 1));
        more.add(ChatMessage.user("."));
        try {
            String longer = template.orElseThrow().render(more, false, example.tools(), Map.of());
            return longer.startsWith(after.substring(0, end)) && !longer.startsWith(after);
        } catch (PeftException e) {
            return false;
        }
    }

    private boolean isOnlySpecial(String text) {
        for (int id : tokenizer.encode(text.strip())) {
            if (!endsTurn(id)) {
                return false;
            }
        }
        return true;
    }

    private static int commonLength(String a, String b) {
        int length = 0;
        while (length < Math.min(a.length(), b.length()) && a.charAt(length) == b.charAt(length)) {
            length++;
        }
        return length;
    }

    /**
     * The index of the first token of an answer. The tokens before it must be those that the model is asked with, of
     * which only those from the last special token on are made again: no token reaches over such a one.
     */
    private int firstToken(ChatExample example, int message, String before, Rendered whole) {
        int known = lastMark(whole, before.length());
        int[] asked = tokenizer.encode(before.substring(known == 0 ? 0 : whole.encoding().start()[known]));
        int[] ids = whole.encoding().ids();
        int differs = Arrays.mismatch(asked, 0, asked.length, ids, known, Math.min(known + asked.length, ids.length));
        if (differs >= 0) {
            String token = known + differs < ids.length ? " (\"" + whole.token(known + differs) + "\")" : "";
            throw fail(example, "a token" + token + " spans the border between the header and the content of message "
                    + (message + 1) + "; a model that generates the message never sees it. Check for white "
                    + "space at the start of the content or the end of the template's header");
        }
        return known + asked.length;
    }

    /**
     * The index after the last token of an answer: its end-of-turn token, which is the last special token of the turn
     * with nothing but white space behind it, or for templates without one the end of the turn.
     */
    private int pastLastToken(ChatExample example, int message, int first, int endOfTurn, Rendered whole) {
        Encoding encoding = whole.encoding();
        int lastSpecial = -1;
        int past = first;
        while (past < encoding.length() && encoding.end()[past] <= endOfTurn) {
            lastSpecial = endsTurn(encoding.ids()[past]) ? past : lastSpecial;
            past++;
        }
        if (lastSpecial >= 0 && whole.text().substring(encoding.end()[lastSpecial], endOfTurn).isBlank()) {
            return lastSpecial + 1;
        }
        if (past < encoding.length() && encoding.start()[past] < endOfTurn) {
            throw fail(example, "a token (\"" + whole.token(past) + "\") spans the end of message " + (message + 1)
                    + " and what follows; the template has no end-of-turn token between them");
        }
        return past;
    }

    private boolean endsTurn(int id) {
        return tokenizer.isSpecial(id) || tokenizer.eosId().isPresent() && tokenizer.eosId().getAsInt() == id;
    }

    private String render(ChatExample example, int messages, boolean addGenerationPrompt) {
        ChatTemplate chats = template.orElseThrow(() -> fail(example, "is a conversation, and " + model + " has "
                + "no chat template; give the model one, or use rows with \"prompt\" and "
                + "\"completion\" or with \"text\", which need none"));
        try {
            return chats.render(example.messages().subList(0, messages), addGenerationPrompt, example.tools(),
                    Map.of());
        } catch (PeftException e) {
            String what = messages == example.messages().size() ? "the conversation"
                    : "the first " + messages + " messages of the conversation";
            throw new DataException(Path.of(example.origin().file()), example.origin().line(), 0,
                    "the chat template rejects " + what + ": " + e.getMessage(), e);
        }
    }

    /** An empty answer teaches a model to say nothing; a call of a tool is no empty one. */
    private void requireAnswers(ChatExample example) {
        for (int i = masking == Masking.LAST_TURN ? example.prompt().size() : 0; i < example.messages().size(); i++) {
            ChatMessage answer = example.messages().get(i);
            if (answer.role().equals("assistant") && ChatExample.isLearned(answer) && answer.content().isBlank()
                    && !answer.hasToolCalls()) {
                throw fail(example, "message " + (i + 1) + " is an empty answer; fill it in, or remove the example");
            }
        }
    }

    /** Says which example has a text that the tokenizer does not take. */
    private static <T> T located(ChatExample example, Supplier<T> encoded) {
        try {
            return encoded.get();
        } catch (FileFormatException e) {
            throw new DataException(Path.of(example.origin().file()), example.origin().line(), 0, "cannot be encoded: "
                    + e.getMessage(), e);
        }
    }

    static DataException fail(ChatExample example, String message) {
        return new DataException(Path.of(example.origin().file()), example.origin().line(), message);
    }

    @Override
    public String toString() {
        return "encoder for " + model + ", learns " + masking;
    }
}

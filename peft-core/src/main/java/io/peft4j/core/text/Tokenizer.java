package io.peft4j.core.text;

import io.peft4j.core.Internal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Turns text into token ids and back, equal to the checkpoint's tokenizer in Python, id by id.
 *
 * <p>Special tokens that stand in the text (such as {@code <|im_start|>}) become their own id in every form of
 * {@code encode}; "added" special tokens are those that stand nowhere in the text (a begin-of-sequence token). Nothing
 * is ever truncated or padded. Implementations are safe for use by many threads until they are closed.
 */
public interface Tokenizer extends AutoCloseable {
    /** The ids of a text with no special token added. The form for rendered chat templates. */
    int[] encode(String text);

    /**
     * As {@link #encode}, but special tokens that stand in the text are text like any other: for what a user writes
     * into a prompt. Default: the same as {@link #encode}, for tokenizers whose special tokens no text can hold.
     */
    default int[] encodeAsText(String text) {
        return encode(text);
    }

    /** The ids of a text with the special tokens that transformers' tokenizer adds by default. For plain text. */
    int[] encodeWithSpecials(String text);

    /**
     * The ids of a text that is continued, by an answer or in a training: {@link #encodeWithSpecials} with the
     * begin-of-sequence token once, also where the text itself begins with it, and without an end-of-sequence token
     * that the tokenizer adds behind every text.
     */
    default int[] encodeToContinue(String text) {
        return ContinuedText.encode(this, text);
    }

    /** As {@link #encode}, with the place of each token in the text. */
    @Internal
    Encoding encodeWithOffsets(String text);

    /**
     * Two texts as one sequence with the special tokens that transformers' tokenizer puts between and around them, for
     * instance a question and the text that answers it.
     *
     * @throws UnsupportedOperationException where the tokenizer joins no texts
     */
    default PairEncoding encodePair(String first, String second) {
        throw new UnsupportedOperationException("this tokenizer does not support pairs of texts");
    }

    /**
     * The tokens of a text that is cut into words already, with no special token added: the same as Python's tokenizer
     * gives with {@code is_split_into_words}.
     *
     * @throws UnsupportedOperationException where the tokenizer takes no words
     */
    default WordEncoding encodeWords(List<String> words) {
        throw new UnsupportedOperationException("this tokenizer does not support pre-split words");
    }

    /**
     * The text of token ids.
     *
     * @param skipSpecial whether special tokens are left out
     * @throws IllegalArgumentException if an id is outside {@code [0, vocabSize())}
     */
    String decode(int[] ids, boolean skipSpecial);

    /** The id of a token in the vocabulary's own spelling (as in {@code tokenizer.json}), empty if there is none. */
    OptionalInt tokenToId(String token);

    /**
     * The token of an id in the vocabulary's own spelling; empty if the vocabulary has a hole there.
     *
     * @throws IllegalArgumentException if the id is outside {@code [0, vocabSize())}
     */
    Optional<String> idToToken(int id);

    /** One more than the largest id, added tokens included. A model's embedding may have more rows. */
    int vocabSize();

    /** Whether an id is a special token: one that {@link #decode} leaves out on request. */
    boolean isSpecial(int id);

    /** The id of the token that begins a sequence. */
    OptionalInt bosId();

    /** The id of the token that ends a sequence. For a chat model it is often the end-of-turn token. */
    OptionalInt eosId();

    /** The id of the token that fills up batches. It may be a token with a meaning: never tell padding by its id. */
    OptionalInt padId();

    /** The chat template that came with the tokenizer. */
    Optional<ChatTemplate> chatTemplate();

    /**
     * Another template in Jinja, with the tokenizer's special tokens.
     *
     * @throws io.peft4j.core.error.PeftException when it is none
     * @throws UnsupportedOperationException where the tokenizer reads no templates
     */
    default ChatTemplate template(String source) {
        throw new UnsupportedOperationException("this tokenizer does not support templates");
    }

    /**
     * Writes {@code tokenizer.json}, {@code tokenizer_config.json} and, if there is one, {@code chat_template.jinja}
     * into a folder, so that Hugging Face loads it as a tokenizer. Existing files of these names are replaced.
     *
     * @throws java.io.UncheckedIOException if the folder or a file cannot be written
     */
    void save(Path folder);

    /** A decoder that turns a growing sequence of ids into complete characters. */
    @Internal
    default TokenStreamDecoder streamDecoder(boolean skipSpecial) {
        return new TokenStreamDecoder(this, skipSpecial);
    }

    /** What single tokens add to a text, byte by byte. By default, what each decodes to alone. */
    default TokenBytes tokenBytes() {
        return new TokenBytes() {
            @Override
            public byte[] of(int id) {
                return decode(new int[] {id}, false).getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public boolean dropsFirstSpace() {
                return false;
            }
        };
    }

    /** Frees native memory. Use after closing throws {@link IllegalStateException}; closing twice does nothing. */
    @Override
    void close();

    /**
     * Two texts as one sequence of tokens, with the special tokens between and around them.
     *
     * @param ids token ids
     * @param types which of the texts each token counts to: 0 or 1 ({@code token_type_ids}), or 0 everywhere where the
     *     tokenizer does not tell them apart
     */
    record PairEncoding(int[] ids, int[] types) {
        /** Checks that both have one length. */
        public PairEncoding {
            if (ids.length != types.length) {
                throw new IllegalArgumentException(ids.length + " ids and " + types.length + " types");
            }
        }
    }

    /**
     * The tokens of words, without special tokens.
     *
     * @param ids token ids
     * @param words for each token the number of the word that it is a piece of
     */
    record WordEncoding(int[] ids, int[] words) {
        /** Checks that both have one length. */
        public WordEncoding {
            if (ids.length != words.length) {
                throw new IllegalArgumentException(ids.length + " ids and " + words.length + " words");
            }
        }
    }

    /** The bytes that single tokens add to a text: of a character that takes several tokens, each has a part. */
    interface TokenBytes {
        /**
         * What a token adds to a text in UTF-8; empty where it adds nothing, or where the vocabulary has a hole.
         *
         * @param id a token id below {@link Tokenizer#vocabSize()}
         */
        byte[] of(int id);

        /**
         * Whether a space that a text would begin with is left out, as by tokenizers that put one before every text.
         */
        boolean dropsFirstSpace();
    }
}

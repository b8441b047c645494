package io.peft4j.models.seq2seq;

/** mT5 (<a href="https://arxiv.org/abs/2010.11934">2010.11934</a>): T5 over a hundred languages. */
public final class Mt5Family extends T5Family {
    /** The family. */
    public Mt5Family() {
        super("mt5", false);
    }
}

package io.peft4j.models.encoder;

/** XLM-RoBERTa (<a href="https://arxiv.org/abs/1911.02116">1911.02116</a>): RoBERTa over a hundred languages. */
public final class XlmRobertaFamily extends RobertaFamily {
    /** The family. */
    public XlmRobertaFamily() {
        super("xlm-roberta");
    }
}

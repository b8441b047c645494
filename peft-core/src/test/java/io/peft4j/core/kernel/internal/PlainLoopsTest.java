package io.peft4j.core.kernel.internal;

class PlainLoopsTest extends LoopsContract {
    @Override
    protected Loops create() {
        return new PlainLoops();
    }
}

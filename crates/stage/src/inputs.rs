use crate::Content;
use millrace_contract::Service;
use millrace_contract::artifact::Artifact;
use millrace_contract::wire::StageOutput;
use prost::Message;

/// What a stage reads: says whose claims to redeem, and makes a value of what was behind them.
pub trait Inputs: Sized + Send + 'static {
    /// Whose artifacts, in order.
    const MAKERS: &'static [Service];
    /// Makes the input from their contents, in the same order.
    ///
    /// # Errors
    /// Says what is wrong with the content.
    fn read(contents: Vec<Content>) -> Result<Self, String>;
}

/// The document itself, as uploaded.
#[derive(Debug)]
pub struct Document(pub Content);

impl Inputs for Document {
    const MAKERS: &'static [Service] = &[Service::Intake];
    fn read(contents: Vec<Content>) -> Result<Self, String> {
        contents.into_iter().next().map(Self).ok_or_else(|| "no document".to_owned())
    }
}

/// One stage's artifact.
#[derive(Debug)]
pub struct Read<A>(pub A);

impl<A: Artifact> Inputs for Read<A> {
    const MAKERS: &'static [Service] = &[A::MAKER];
    fn read(contents: Vec<Content>) -> Result<Self, String> {
        let content = contents.into_iter().next().ok_or("no artifact")?;
        let bytes = content.into_bytes().map_err(|error| error.to_string())?;
        let output = StageOutput::decode(bytes).map_err(|error| error.to_string())?;
        A::decode(&output.body).map(Read).map_err(|error| error.to_string())
    }
}

impl<A: Artifact, B: Artifact> Inputs for (Read<A>, Read<B>) {
    const MAKERS: &'static [Service] = &[A::MAKER, B::MAKER];
    fn read(mut contents: Vec<Content>) -> Result<Self, String> {
        if contents.len() != 2 {
            return Err(format!("{} artifacts instead of 2", contents.len()));
        }
        let second = contents.split_off(1);
        Ok((Read::read(contents)?, Read::read(second)?))
    }
}

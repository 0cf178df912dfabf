//! What a caller sees of the crate: objects go in, judgements come out.

#[cfg(test)]
mod any_json;
#[cfg(test)]
mod applications;
#[cfg(test)]
mod bytes;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod false_green;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod needs;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod recordings;
mod rows;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod world;

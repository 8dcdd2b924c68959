#pragma once
#include <vector>

#include "common/media/annexb.h"
#include "common/media/types.h"

// What a packet is for random access and which parameter sets it carries: looks at NAL unit headers only.
namespace gopline::media {

// Bytes of a NAL unit length in the track's samples: 4 for converted tracks, else what avcC or hvcC says.
int nal_length_size(const Track& track);

// Stream access point type (ISO/IEC 14496-12, Annex I) of a packet with the key flag; 0 without it. H.264:
// IDR 1, other random access 3. HEVC: IDR_N_LP 1, IDR_W_RADL 2, CRA and BLA 3. Other codecs: 1.
int sap_type(const Track& track, const Packet& packet);

// Parameter sets within a packet of an H.264 or HEVC track (VPS, SPS, PPS in the order they come); empty for
// other codecs.
std::vector<Nal> parameter_sets_in(const Track& track, const Packet& packet);

// Those of them that a decoder cannot do without noticing a change of (VPS, SPS): the identity of a coded
// sequence.
bool is_sequence_parameter_set(const Track& track, Nal nal);

// The parameter sets that a track's extradata holds, in whichever form it is.
std::vector<Nal> parameter_sets_of(const Track& track);

}  // namespace gopline::media
